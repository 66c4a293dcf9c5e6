"""Mails made to cost: large, deep, many. What can be read of them is still written down."""

import base64
from collections.abc import Callable
from typing import Final

from tests.parsing.corpus.case import ANYTHING, Case, File, mail, part

MEGABYTE: Final = 1_000_000
_MIXED: Final = "Content-Type: multipart/mixed; boundary=b"


def many_headers() -> bytes:
    return mail(*[f"X-{number}: v" for number in range(10_000)], "", "t")


def long_header() -> bytes:
    return mail(f"X-Long: {'x' * MEGABYTE}", "", "t")


def many_parts() -> bytes:
    return mail(_MIXED, "", b"--b\r\n\r\nx\r\n" * 100_000 + b"--b--")


def many_files() -> bytes:
    return mail(_MIXED, "", b"--b\r\nContent-Type: application/x\r\n\r\nx\r\n" * 100_000 + b"--b--")


def deep() -> bytes:
    levels = [f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(1000)]
    return mail("".join(levels), "", "t")


def deep_messages() -> bytes:
    return mail("Content-Type: message/rfc822\r\n\r\n" * 1000 + "\r\nt")


def one_line() -> bytes:
    return mail("", b"x" * (20 * MEGABYTE))


def one_line_of_html() -> bytes:
    return mail("Content-Type: text/html", "", b"<" * (20 * MEGABYTE))


def large_file() -> bytes:
    head = mail(_MIXED, "", b"--b\r\n\r\nt\r\n--b\r\nContent-Type: application/pdf\r\n")
    return head + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(bytes(18 * MEGABYTE)) + b"--b--"


def large_text() -> bytes:
    return mail("Content-Transfer-Encoding: base64", "", base64.encodebytes("您".encode() * (6 * MEGABYTE)))


def _html(body: bytes) -> bytes:
    return mail("Content-Type: text/html", "", body)


def _siblings(section: bytes, size: int) -> bytes:
    """A text and an HTML part, and *section* over and over: each is shown in both bodies."""
    both = b"--b\r\n" + part("text/html", b"x") + b"\r\n--b\r\n" + part("text/plain", b"x")
    return mail(_MIXED, "", both + (b"\r\n--b\r\n" + section) * (size // len(section)))


# Shapes that are cheap to send; `benches/parse.py` and the bounds tests build them at several sizes.
SHAPES: Final[dict[str, Callable[[int], bytes]]] = {
    "headers": lambda size: mail(b"X: v\r\n" * (size // 6), "", "t"),
    "encoded-words in the subject": lambda size: mail("Subject: " + "=?utf-8?q?a?= " * (size // 14), "", "t"),
    "encoded-words in a part": lambda size: mail(_MIXED, "", b"--b\r\nX: " + b"=?a?q?b?=" * (size // 9) + b"\r\n\r\nt"),
    "encoded-words that never end": lambda size: mail("Subject: " + "=?a?b?" * (size // 6), "", "t"),
    "recipients": lambda size: mail("To: " + "a@b.co," * (size // 7), "", "t"),
    "commas": lambda size: mail("To: " + "," * size, "", "t"),
    "quotes": lambda size: mail("To: " + '"\\' * (size // 2), "", "t"),
    "parentheses": lambda size: mail("From: " + "(" * size, "", "t"),
    "dots in an address": lambda size: mail("To: " + "a." * (size // 2) + "@b.co", "", "t"),
    "parameters": lambda size: mail("Content-Type: text/plain" + "; a=b" * (size // 5), "", "t"),
    "pieces of a filename": lambda size: mail(
        "Content-Disposition: attachment" + "".join(f"; filename*{n}=x" for n in range(size // 15)), "", "t"
    ),
    "parts": lambda size: mail(_MIXED, "", b"--b\r\n\r\nx\r\n" * (size // 10)),
    "parts without a name": lambda size: mail(_MIXED, "", b"--b\n\n" * (size // 5)),
    "broken parts": lambda size: mail(_MIXED, "", b"--b\r\n" * (size // 5)),
    "boundaries in one line": lambda size: mail(_MIXED, "", b"--b" * (size // 3)),
    "multiparts in multiparts": lambda size: mail(
        "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(size // 54)), "", "t"
    ),
    "one boundary at every level": lambda size: mail(
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * (size // 50), "", "t"
    ),
    "messages in messages": lambda size: mail(b"Content-Type: message/rfc822\r\n\r\n" * (size // 32), "", "t"),
    "messages side by side": lambda size: mail(
        "Content-Type: multipart/digest; boundary=b", "", b"--b\r\n\r\nSubject: x\r\n\r\nt\r\n" * (size // 24)
    ),
    "quoted-printable": lambda size: mail("Content-Transfer-Encoding: quoted-printable", "", b"=" * size),
    "base64 garbage": lambda size: mail("Content-Transfer-Encoding: base64", "", b"*" * size),
    "uuencode": lambda size: mail("", b"begin 644 a\r\n" * (size // 13)),
    "uuencode, many files": lambda size: mail("", b"begin 644 a\r\n#;VYE\r\n`\r\nend\r\n" * (size // 27)),
    "flowed": lambda size: mail("Content-Type: text/plain; format=flowed", "", b"> a \r\n" * (size // 6)),
    "quote marks": lambda size: mail("Content-Type: text/plain; format=flowed", "", b">" * size),
    "line breaks": lambda size: mail("", b"\r" * size),
    "texts rendered as HTML": lambda size: _siblings(part("text/plain", b'"' * 4000 + "\U0001f600".encode()), size),
    "HTML rendered as texts": lambda size: _siblings(part("text/html", b"&#1" * 1400), size),
    "digits": lambda size: mail("", b"code 123456 " * (size // 12)),
    "digits in a subject": lambda size: mail("Subject: " + "code 1234 " * (size // 10), "", "t"),
    "letters and digits": lambda size: mail("", b"code a1b2c3 " * (size // 12)),
    "open brackets": lambda size: _html(b"<" * size),
    "open tags": lambda size: _html(b"<a b='" * (size // 6)),
    "comments": lambda size: _html(b"<!--" * (size // 4)),
    "scripts": lambda size: _html(b"<script>" * (size // 8)),
    "entities": lambda size: _html(b"&#1" * (size // 3)),
    "long entities": lambda size: _html(b"&#" + b"1" * size),
    "meta": lambda size: _html(b"<meta " * (size // 6) + b"\xff"),
    "bold": lambda size: _html(
        b"<p>" + b"".join(b"<b a=%d>" % n for n in range(size // 20)) + b"<p>x" * (size // 8)
    ),
    "divs": lambda size: _html(b"<div>" * (size // 5)),
    "tables": lambda size: _html(b"<table>" * (size // 7)),
    "attributes": lambda size: _html(b"<p " + b" ".join(b"a%d=1" % n for n in range(size // 8)) + b">x"),
    "styles": lambda size: _html(b'<p style="' + b"color:red;" * (size // 10) + b'">x'),
    "lines of dashes": lambda size: mail(
        "Subject: Your code", "", b"Your code is 482913\r\n" + (b"-" * 996 + b"x\r\n") * (size // 999)
    ),
    "words in a style": lambda size: _html((b'<p style="color:' + b"a" * 8000 + b'">x</p>') * (size // 8020)),
    "spaces in a style": lambda size: _html((b'<p style="color:' + b" " * 8000 + b'">x</p>') * (size // 8020)),
    "urls in a style": lambda size: _html(b'<p style="' + b"background:url(" * (size // 15) + b'">x'),
}  # fmt: skip

LARGE: Final[dict[str, Callable[[], bytes]]] = {
    "10,000 headers": many_headers,
    "a header of 1 MB": long_header,
    "100,000 parts": many_parts,
    "100,000 files": many_files,
    "1,000 levels of multipart": deep,
    "1,000 levels of message": deep_messages,
    "one line of 20 MB": one_line,
    "one line of 20 MB of HTML": one_line_of_html,
    "25 MB of base64, a file": large_file,
    "25 MB of base64, a text": large_text,
}


CASES: Final[tuple[Case, ...]] = (
    Case("10,000 headers", many_headers(), text="t", defects=("headers_cut",)),
    Case("a header of 1 MB", long_header(), text="t", defects=("headers_cut",)),
    Case("1,000 levels of multipart", deep(), status="failed", text=ANYTHING, files=ANYTHING),
    Case("1,000 levels of message", deep_messages(), status="failed", text=ANYTHING, files=ANYTHING),
    Case(
        "a bomb of nested digests",
        mail("Content-Type: multipart/digest; boundary=b", "", b"--b\r\n\r\n" * 200),
        text=ANYTHING,
        files=ANYTHING,
    ),
    Case(
        "a file beside a hostile part",
        mail(_MIXED, "", b"--b\r\n" + part("text/plain; charset=punycode", "t") + b"\r\n--b\r\n"
             + part("application/x; name=a", b"x") + b"\r\n--b--"),
        text="t",
        files=(File("a", "application/x", b"x", "unknown"),),
    ),
)  # fmt: skip
