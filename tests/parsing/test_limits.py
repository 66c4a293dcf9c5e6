"""A limit cuts what is above it and nothing else: a message just at it is whole, and says so."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kaisoumail.parsing.bodies import MAX_RENDERED, MAX_TEXT_BYTES
from kaisoumail.parsing.codes.find import find_code
from kaisoumail.parsing.headers import MAX_HEADERS
from kaisoumail.parsing.mime import MAX_ENTRIES, MAX_RECIPIENTS, parse
from kaisoumail.parsing.part import MAX_PARTS

TEXT = b"Subject: s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
# A transfer encoding that the fast reader does not know: the tolerant one reads the message.
ODD = b"Content-Transfer-Encoding: x-odd\r\n"


def _file(fields: bytes = b"") -> bytes:
    return b"--b\r\nContent-Type: application/pdf\r\n" + fields + b"\r\nx\r\n"


def _mixed(*parts: bytes) -> bytes:
    return b"Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + b"".join(parts) + b"--b--\r\n"


def _files(number: int) -> bytes:
    """A multipart of *number* parts, itself included."""
    return _mixed(*[_file()] * (number - 1))


def _files_in_broken_parts(number: int) -> bytes:
    return _mixed(_file(ODD), *[_file()] * (number - 2))


def _last_part_is_a_message(number: int) -> bytes:
    """As the last part a message, which is a part more than its own text."""
    message = b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text\r\n"
    return _mixed(*[_file()] * (number - 3), message)


def _last_broken_part_is_a_message(number: int) -> bytes:
    return _last_part_is_a_message(number).replace(b"application/pdf\r\n", b"application/pdf\r\n" + ODD, 1)


def _one_text(size: int) -> bytes:
    return TEXT + b"x" * size


def _two_texts(size: int) -> bytes:
    parts = [b"--b\r\nContent-Type: text/plain\r\n\r\n" + b"x" * half + b"\r\n" for half in (size // 2, -(-size // 2))]
    return _mixed(*parts)


def _text_shown_as_html(size: int) -> bytes:
    text, html = (b"--b\r\nContent-Type: text/%b\r\n\r\n" % kind for kind in (b"plain", b"html"))
    return _mixed(text + b"x" * size + b"\r\n", html + b"\r\n")


def _recipients(number: int) -> bytes:
    return b"To: " + b",".join(b"a%d@x.example" % each for each in range(number)) + b"\r\n\r\nhi"


def _entries(number: int) -> bytes:
    """One address after entries without any: *number* in all."""
    return b"To: " + b"nobody," * (number - 1) + b"a@x.example\r\n\r\nhi"


def _fields(number: int) -> bytes:
    return b"X-Tag: a\r\n" * number + b"\r\nhi"


LIMITS: list[tuple[Callable[[int], bytes], int, str]] = [
    (_files, MAX_PARTS, "too_many_parts"),
    (_files_in_broken_parts, MAX_PARTS, "too_many_parts"),
    (_last_part_is_a_message, MAX_PARTS, "too_many_parts"),
    (_last_broken_part_is_a_message, MAX_PARTS, "too_many_parts"),
    (_one_text, MAX_TEXT_BYTES, "text_cut"),
    (_two_texts, MAX_TEXT_BYTES, "text_cut"),
    (_text_shown_as_html, MAX_RENDERED, "text_cut"),
    (_recipients, MAX_RECIPIENTS, "too_many_recipients"),
    (_entries, MAX_ENTRIES, "too_many_recipients"),
    (_fields, MAX_HEADERS, "headers_cut"),
]


@pytest.mark.parametrize(("build", "limit", "defect"), LIMITS, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_at_a_limit_is_whole_and_what_is_above_it_is_cut(
    build: Callable[[int], bytes], limit: int, defect: str
) -> None:
    below, at, above = (parse(build(number)).defects for number in (limit - 1, limit, limit + 1))

    assert (below, at, above) == ((), (), (defect,))


def test_nothing_after_a_full_text_is_nothing_that_is_cut() -> None:
    full = _mixed(b"--b\r\nContent-Type: text/plain\r\n\r\n" + b"x" * MAX_TEXT_BYTES + b"\r\n", b"--b\r\n\r\n\r\n")

    assert parse(full).defects == ()


PIECES = (
    "Enter 4829 to go on.\n",
    "Your verification code is 482913\n",
    "Example code 662288, 20% off with coupon 662288.\n",
    "> Your verification code:\n> 551177\n> Enter it to sign in.\n",
    "On Monday Ada wrote:\n",
    "\n",
)


@given(st.lists(st.sampled_from(PIECES), max_size=6), st.sampled_from(("", "Your code is 482913", "4829")))
@example([PIECES[0], PIECES[3]], "")
def test_a_confidence_is_never_below_that_of_a_code_with_a_close_rival(pieces: list[str], preheader: str) -> None:
    text = "".join(pieces)
    html = f'<div style="display:none">{preheader}</div><pre>{text}</pre>'

    found = [find_code("Hello", text, None), find_code("Hello", None, html)]

    assert all(0.6 <= each.confidence <= 0.99 for each in found if each is not None)
