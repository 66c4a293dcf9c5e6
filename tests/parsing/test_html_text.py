"""HTML as a reader sees it, at a cost that grows with its length and no faster."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaisoumail.parsing.html_text import shown_and_hidden, text_of
from kaisoumail.parsing.preview import preview_of


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>one</p><p>two<br>three</p>", "one\ntwo\nthree"),
        ("<table><tr><td>Code</td><td>123456</td></tr><tr><td>x</td></tr></table>", "Code 123456\nx"),
        ("<span>4</span><span>8</span><span>2</span>", "482"),
        ("code<b>123456</b>", "code 123456"),
        ("a\n  line   that\nwraps", "a line that wraps"),
        ("<style>p{color:#123456}</style><script>if (1 < 2) {}</script><title>t</title>x", "x"),
        ("<!-- <p>no</p> -->yes<!-- open", "yes"),
        ('<a title="1 > 2" href=x>link</a>', "link"),
        ("<p class=it's>quoted</p>", "quoted"),
        ("1 < 2 && 3 > 2", "1 < 2 && 3 > 2"),
        ("&lt;b&gt; &amp; &#8364; &nbsp;&unknown; &#99999999999;", "<b> & € &unknown; \ufffd"),
        ("He\u00adllo\u200b <i>you</i>&zwnj;&shy;", "Hello you"),
        ("", ""),
        ("<p", ""),
    ],
)
def test_the_text_of(markup: str, text: str) -> None:
    assert text_of(markup) == text


@given(st.text(max_size=2000))
def test_any_text_is_read_as_html(markup: str) -> None:
    assert "\n\n" not in text_of(markup)


@given(
    st.lists(st.sampled_from([*"<>/!-=&;#'\" \n1a", "<p", "<!--", "-->", "<script", "</script>", "<td>"]), max_size=200)
)
def test_any_pile_of_markup_is_read(pieces: list[str]) -> None:
    text_of("".join(pieces))
    preview_of(None, "".join(pieces))


FORMATTING_BOMB = "<p>" + "".join(f"<b a={n}>" for n in range(10_000)) + "<p>x" * 20_000


@pytest.mark.parametrize(
    "markup",
    [
        FORMATTING_BOMB,
        *(piece * (256 * 1024 // len(piece)) for piece in ("<", "<!--", "<script>", '<a b="', "&", "<b>", "1<b>")),
    ],
    ids=["formatting", "less than", "comments", "scripts", "quotes", "ampersands", "joints", "digits"],
)
def test_hostile_html_comes_to_an_end(markup: str) -> None:
    assert len(text_of(markup)) <= len(markup)


def test_only_the_start_of_a_very_long_page_is_read() -> None:
    assert text_of("<p>x</p>" * 1000, limit=80) == "\n".join("x" * 10)


@pytest.mark.parametrize(
    ("markup", "shown", "hidden"),
    [
        ("<p>a</p><p>b</p>", "a\nb", ""),
        ('<div style="display:none">a</div><p>b</p>', "b", "a"),
        ("<div style='color:red; DISPLAY : none'>a</div>b", "b", "a"),
        ('<span style="font-size:0">a<span>b</span>c</span>d', "d", "abc"),
        ("<p hidden>a</p><p>b</p>", "b", "a"),
        ('<p style="opacity:0.9">a</p><p style="font-size: 0.875em">b</p>', "a\nb", ""),
        ('<p style="max-height:0px;overflow:hidden">a</p><p style="fill-opacity:0">b</p>', "b", "a"),
        ('<p style="display:none">a<div>b</div>', "a\nb", ""),
        ('<body style="display:none">a</body>', "a", ""),
        ("<style>p{display:none}</style><p>a</p>", "a", ""),
        ('<p>a <img src="x" alt="482913"></p>', "a 482913", ""),
    ],
)
def test_what_styles_hide_is_told_apart(markup: str, shown: str, hidden: str) -> None:
    assert shown_and_hidden(markup) == (shown, hidden)


@given(
    st.lists(st.sampled_from(["<p", " style='display:none'", " hidden", ">", "</p>", "<br>", "a", '"', "<!--", "-->"]))
)
def test_whatever_is_shown_and_hidden_was_there(pieces: list[str]) -> None:
    shown, hidden = shown_and_hidden("".join(pieces))

    assert (shown + hidden).count("a") <= "".join(pieces).count("a")
