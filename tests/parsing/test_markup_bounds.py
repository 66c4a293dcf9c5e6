"""Markup of any shape is given to the parser of HTML so that it takes linear time; honest markup comes out the same."""

import re
from itertools import islice, product
from string import ascii_lowercase, digits

import pytest

from kaisoumail.parsing.markup_bounds import (
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_STRETCH,
    cut_where_too_deep,
    with_few_attributes,
    with_short_stretches,
)
from kaisoumail.parsing.sanitize import safe_html
from tests.parsing.growth import STEEP, Repeated, Step, exponent

SAFE = Step("HTML made safe", safe_html, 320 * 1024)
COSTLY = {
    "references": Repeated("", "&"),
    "control characters": Repeated("", "\x9c"),
    "characters of two bytes": Repeated("", "»|"),
    "open elements": Repeated("", "<div hidden>"),
    "text loose in a table": Repeated("<table>", "»&"),
    "text loose in rows": Repeated("<table>", "»&" * 100 + "<tr>"),
    "ends without a beginning": Repeated("", "»&" * 100 + "</x>"),
    "a quote in a tag": Repeated("<p '>", "»&"),
    "tags that open in tags": Repeated("", "<p <p a b "),
    "tags in quotes that stay open": Repeated("<p a='", '<p a="<p '),
    "many attributes in each tag": Repeated("", "<p " + " ".join(f"a{number}" for number in range(100)) + ">"),
    "comments in a table": Repeated("<table>", "»&" * 5 + "<!---->"),
}


@pytest.mark.parametrize("shape", COSTLY)
def test_html_that_cost_the_square_of_its_length_is_made_safe_in_linear_time(shape: str) -> None:
    assert exponent(SAFE, COSTLY[shape]) <= STEEP


@pytest.mark.parametrize("text", ["a &amp; b é ", "您", "plain ", "&eacute;", "&NotEqualTilde;", "«x» &#8203;&#xe9;"])
@pytest.mark.parametrize("around", ["<p>{}</p>", "{}", "<table><tr><td>{}</td></tr></table>", "<b>{}</x></b>"])
def test_a_long_text_comes_out_whole(text: str, around: str) -> None:
    length = 3 * MAX_STRETCH // len(text)
    once = safe_html(around.format(text)).html

    whole = safe_html(around.format(text * length)).html

    shown = re.sub("<[^<>]*>", "", once)
    assert re.sub("<[^<>]*>", "", whole) == shown * length
    assert "param" not in whole


def test_short_texts_and_shallow_elements_are_left_alone() -> None:
    html = "<div>" * MAX_DEPTH + "x" * MAX_STRETCH + "</div>" * MAX_DEPTH

    assert cut_where_too_deep(html) == html
    assert with_short_stretches(f"<p>{'x' * (MAX_STRETCH - 3)}</p>") == f"<p>{'x' * (MAX_STRETCH - 3)}</p>"


def test_elements_that_stand_beside_each_other_are_not_deep() -> None:
    html = "<p>a<br><li>b<div><b>c</b></div><tr><td>d" * 2 * MAX_DEPTH

    assert cut_where_too_deep(html) == html


def test_what_is_deeper_than_browsers_go_is_cut() -> None:
    cut = cut_where_too_deep("<div>x" * 2 * MAX_DEPTH)

    assert cut == "<div>x" * MAX_DEPTH + "…"


def _attributes(count: int) -> str:
    return " ".join(map("".join, islice(product(ascii_lowercase, ascii_lowercase + digits, ascii_lowercase), count)))


def test_a_tag_of_thousands_of_attributes_keeps_the_first_ones() -> None:
    crowded = f"<p>before</p><p {_attributes(20_000)}>inside</p>after"

    assert with_few_attributes(crowded) == f"<p>before</p><p {_attributes(MAX_ATTRIBUTES)}>inside</p>after"
    assert re.sub("<[^<>]*>", "", safe_html(crowded).html) == "beforeinsideafter"


@pytest.mark.parametrize(
    "attribute",
    [
        'a{}="x > y < z"',
        "b{}='\"'",
        "c{}=bare",
        "d{}",
        'e{}\n = "x"',
        "/f{}",
        'g{}="' + "x" * 9000 + '"',
    ],
)
def test_attributes_are_counted_however_they_are_written(attribute: str) -> None:
    few, many = (" ".join(attribute.format(number) for number in range(count)) for count in (MAX_ATTRIBUTES, 500))

    assert with_few_attributes(f"<p {few}>x") == f"<p {few}>x"
    assert with_few_attributes(f"<p {many}>x") == f"<p {few}>x"


def test_the_end_of_an_element_has_no_thousands_of_attributes_either() -> None:
    crowded = f"<p>inside</p {_attributes(20_000)}>after"

    assert with_few_attributes(crowded) == f"<p>inside</p {_attributes(MAX_ATTRIBUTES)}>after"


@pytest.mark.parametrize("form", ["<p = {}>", '<p a="v"={}>', "<p ={}>", "</p/{}>", "<P\t{}"])
def test_attributes_that_begin_oddly_are_counted_too(form: str) -> None:
    assert len(with_few_attributes(form.format(_attributes(20_000)))) < 1_000


def test_many_tags_of_a_few_attributes_are_left_alone() -> None:
    html = "<td class='a b' style=\"x: y\" width=1>a < b && c > d</td>" * 2 * MAX_ATTRIBUTES

    assert with_few_attributes(html) == html
