"""What strangers put into HTML to run something, to be fetched, or to be more than a mail. None of it comes through."""

import re
from html.parser import HTMLParser

import pytest

from kaisoumail.parsing.sanitize import REMOTE_IMAGE, safe_html

E = "https://evil.example"

# Each would run a script somewhere, or would if one piece of it were taken for another (mXSS).
RUNS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script\x0bsrc=x>alert(1)</script>",
    "<script/x>alert(1)</script >",
    "<<script>alert(1)//<</script>",
    "<img src=x onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)>",
    '<img """><script>alert(1)</script>">',
    "<img src=`x`onerror=alert(1)>",
    "<img src=x\x0conerror=alert(1)>",
    "<body onload=alert(1)>x",
    "<p onclick=alert(1) ONMOUSEOVER='alert(1)'>x</p>",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='jav&#x09;ascript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href=' &#14; javascript:alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='javascript&colon;alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=='>x</a>",
    "<a href='view-source:javascript:alert(1)'>x</a>",
    "<a href='blob:https://evil.example/1'>x</a>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href=javascript:alert(1)><text>x</text></a></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<svg><foreignObject><body onload=alert(1)></foreignObject></svg>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<math href=javascript:alert(1)>x</math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<textarea></textarea><img src=x onerror=alert(1)>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'>",
    "<title><img title='</title><img src=x onerror=alert(1)>'>",
    "<xmp><img title='</xmp><img src=x onerror=alert(1)>'>",
    "<!--><script>alert(1)</script>-->",
    "<!-- --!><img src=x onerror=alert(1)> -->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?xml version='1.0'?><img src=x onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='data:text/html,<script>alert(1)</script>'></object>",
    "<embed src='javascript:alert(1)'>",
    "<template><img src=x onerror=alert(1)></template>",
    "<select><option><style></option></select><img src=x onerror=alert(1)></style>",
    "<p style='width:expression(alert(1))'>x</p>",
    "<p style='behavior:url(x.htc);-moz-binding:url(x.xml)'>x</p>",
    "<isindex action=javascript:alert(1)>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<table><td background='javascript:alert(1)'>x</td></table>",
    "<tamed-b onclick=alert(1)>x</tamed-b>",
]

# Each would be fetched from evil.example without anybody clicking.
FETCHES = [
    f"<img src={E}/p.gif>",
    "<img src=//evil.example/p.gif>",
    "<img src='/\\evil.example/p.gif'>",
    "<img src='https:\\\\evil.example/p.gif'>",
    f"<img src=' &#10;{E}/p.gif'>",
    f"<img srcset='{E}/p.gif 2x' src=x>",
    f"<picture><source srcset={E}/p.gif><img src=x></picture>",
    f"<img lowsrc={E}/p.gif dynsrc={E}/p.avi longdesc={E}>",
    f"<input type=image src={E}/p.gif>",
    f"<body background={E}/p.gif>x",
    f"<table background={E}/p.gif><tr background={E}/p.gif><td background={E}/p.gif>x</td></tr></table>",
    f"<p style='background:url({E}/p.gif)'>x</p>",
    f"<p style='background:url( \"{E}/p.gif\" )'>x</p>",
    f"<p style='background:URL({E}/p.gif)'>x</p>",
    f"<p style='background:u\\72l({E}/p.gif)'>x</p>",
    f"<p style='background:u/**/rl({E}/p.gif)'>x</p>",
    f"<p style='background:url/**/({E}/p.gif)'>x</p>",
    f"<p style='background-image:image-set(\"{E}/p.gif\" 1x)'>x</p>",
    f"<p style='background-image:-webkit-image-set(url({E}/p.gif) 1x)'>x</p>",
    f"<p style='background-image:image(\"{E}/p.gif\")'>x</p>",
    f"<p style='background-image:cross-fade(url({E}/p.gif),red)'>x</p>",
    f"<p style='background-image:src(\"{E}/p.gif\")'>x</p>",
    f"<p style='list-style:url({E}/p.gif)'>x</p>",
    f"<p style='cursor:url({E}/p.cur),auto'>x</p>",
    f"<p style='content:url({E}/p.gif);filter:url({E}/f.svg#x);mask:url({E}/m.svg)'>x</p>",
    f"<p style='font-family:x;src:url({E}/f.woff)'>x</p>",
    f"<p style='--a:url({E}/p.gif);background:var(--a)'>x</p>",
    f"<p style='color:red;@import \"{E}/s.css\"'>x</p>",
    f"<p style=\"font-family:'a;background:url({E}/p.gif)'\">x</p>",
    f"<style>@import '{E}/s.css'; p {{ background: url({E}/p.gif) }}</style>",
    f"<link rel=stylesheet href={E}/s.css><link rel=preload as=image href={E}/p.gif><link rel=dns-prefetch href={E}>",
    f"<meta http-equiv=refresh content='0;url={E}'>",
    f"<base href={E}><img src=p.gif>",
    f"<svg><image href={E}/p.gif xlink:href={E}/p.gif /><use href={E}/u.svg#x /></svg>",
    f"<svg><style>@import '{E}/s.css'</style><feImage href={E}/p.gif /></svg>",
    f"<video src={E}/v.mp4 poster={E}/p.gif><source src={E}/v.mp4><track src={E}/t.vtt></video>",
    f"<audio src={E}/a.mp3 autoplay></audio>",
    f"<iframe src={E}></iframe><frameset><frame src={E}></frameset>",
    f"<object data={E}/o.swf><param name=movie value={E}></object><embed src={E}/o.swf><applet archive={E}></applet>",
    f"<bgsound src={E}/s.wav><layer src={E}></layer><ilayer src={E}></ilayer>",
    f"<form action={E}><input autofocus></form>",
    f"<html manifest={E}/m><body>x",
    f"<blockquote cite={E}>x</blockquote><q cite={E}>x</q>",
]


class _Seen(HTMLParser):
    """Every tag and attribute that a browser would find, and all the text."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


ALLOWED = re.compile(
    r"(a|abbr|b|bdi|blockquote|br|center|details|div|em|font|i|img|li|ol|p|pre|q|s|small|span|strong|summary|table|tbody"
    r"|td|th|tr|u|ul)"
)


@pytest.mark.parametrize("remote", [False, True])
@pytest.mark.parametrize("html", RUNS)
def test_nothing_runs(html: str, remote: bool) -> None:
    seen = _Seen(safe_html(html, remote=remote).html)

    assert [tag for tag in seen.tags if not ALLOWED.fullmatch(tag)] == []
    for _, name, value in seen.attributes:
        assert not name.startswith("on")
        assert name not in ("srcdoc", "formaction", "action", "xlink:href")
        assert (
            not re.search(r"script:|expression|binding|behavior", re.sub(r"\s", "", value).lower()) or name == "title"
        )
        assert name not in ("href", "background") or value.startswith(("https://", "http://", "mailto:", "tel:"))


@pytest.mark.parametrize("html", FETCHES)
def test_nothing_is_fetched_unasked(html: str) -> None:
    safe = safe_html(html)

    assert "evil" not in safe.html
    for _, name, value in _Seen(safe.html).attributes:
        assert name not in ("src", "background", "srcset", "cite") or value == REMOTE_IMAGE
        assert "url" not in value.replace(REMOTE_IMAGE, "")


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        (f"<img src={E}/p.gif>", f'<img src="{E}/p.gif">'),
        ("<img src=//evil.example/p.gif>", f'<img src="{E}/p.gif">'),
        (f"<img src={E}/p.gif srcset='{E}/q.gif 2x'>", f'<img src="{E}/p.gif">'),
        (
            f"<p style='background:url({E}/p.gif) red'>x</p>",
            f'<p style="background:url(&quot;{E}/p.gif&quot;) red">x</p>',
        ),
        ("<img src=p.gif>", f'<img src="{REMOTE_IMAGE}">'),
    ],
)
def test_pictures_from_elsewhere_are_shown_when_asked_for_and_nothing_else(html: str, shown: str) -> None:
    assert safe_html(html, remote=True) == (shown, 0)


@pytest.mark.parametrize(
    "html", [html for html in FETCHES if not re.search(r"<img src=|background[=:]|-image:url", html)]
)
def test_asked_for_pictures_bring_nothing_else_along(html: str) -> None:
    for tag, name, value in _Seen(safe_html(html, remote=True).html).attributes:
        assert "evil" not in value or (tag, name) in (("img", "src"), ("p", "style")), (tag, name, value)


def test_what_was_kept_from_being_fetched_is_counted() -> None:
    html = (
        f"<img src={E}/1><img src=cid:none><img src=x><table background={E}/2><tr><td style='background:url({E}/3)'>x"
    )

    assert safe_html(html).blocked == 3


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ('<img src="cid:logo@x">', '<img src="/own/logo">'),
        ('<img src="CID:logo%40x">', '<img src="/own/logo">'),
        ('<p style="background:url(cid:logo@x)">x</p>', '<p style="background:url(&quot;/own/logo&quot;)">x</p>'),
        ('<table background="cid:logo@x"></table>', '<table background="/own/logo"></table>'),
        ('<img src="cid:other@x">', f'<img src="{REMOTE_IMAGE}">'),
        ('<img src="/own/logo">', f'<img src="{REMOTE_IMAGE}">'),
        ('<a href="cid:logo@x">x</a>', '<a rel="noopener noreferrer" target="_blank">x</a>'),
        ('<a href="/logout">x</a>', '<a rel="noopener noreferrer" target="_blank">x</a>'),
    ],
)
def test_the_mails_own_pictures_are_found_by_their_content_id(html: str, shown: str) -> None:
    safe = safe_html(html, {"logo@x": "/own/logo"})

    assert re.sub(r'(<a) (target="_blank") (rel="[^"]*")', r"\1 \3 \2", safe.html) == shown
    assert safe.blocked == 0


def test_a_picture_written_into_the_html_survives_whatever_its_size() -> None:
    data = "data:image/png;base64," + "iVBORw0KGgo" * 100_000

    safe = safe_html(f'<p>before</p><img src="{data}"><p style="background:url({data})">after</p>')

    assert safe.html.count(data) == 2
    assert safe.html.endswith("after</p>")


@pytest.mark.parametrize("written", ["embedded:0", "embedded:7", "embedded:-1", "embedded:٣", "cid:embedded:0"])
def test_the_place_we_keep_for_a_picture_cannot_be_claimed_by_a_stranger(written: str) -> None:
    assert safe_html(f'<img src="{written}">').html == f'<img src="{REMOTE_IMAGE}">'
