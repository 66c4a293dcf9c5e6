"""Every step of reading a message that takes a stranger's text, for the tests that look at how its cost grows."""

from collections.abc import Callable
from functools import partial
from typing import Final

from kaisoumail.mail_reading.extract import extract
from kaisoumail.model.code import Link
from kaisoumail.parsing.addresses import is_promised, mailboxes_in
from kaisoumail.parsing.authentication import AUTHSERV_ID, authentication_of
from kaisoumail.parsing.character_runs import without_long_runs
from kaisoumail.parsing.charsets import codec_named, decode, one_line
from kaisoumail.parsing.codes.find import find_code
from kaisoumail.parsing.codes.links import find_link
from kaisoumail.parsing.encoded_words import decode_words
from kaisoumail.parsing.filenames import cleaned_filename
from kaisoumail.parsing.headers import read_headers
from kaisoumail.parsing.html_text import shown_and_hidden, text_of
from kaisoumail.parsing.mime import find_attachment, parse
from kaisoumail.parsing.parameters import with_parameters
from kaisoumail.parsing.parsed_message import Header
from kaisoumail.parsing.preview import preview_of
from kaisoumail.parsing.sanitize import safe_html
from kaisoumail.parsing.tolerant_tree import tolerant_tree
from kaisoumail.parsing.transfer import decode_transfer
from kaisoumail.parsing.uuencode import without_files
from tests.parsing.growth import Step

_CHARSETS: Final = ("utf-8", "utf-7", "utf-16", "gb18030", "hz", "iso-2022-jp", "iso-2022-kr", "cp932", "big5", "cp949")
_ENCODINGS: Final = ("base64", "quoted-printable", "uuencode")


def _message(fields: str, text: str) -> bytes:
    return f"Subject: s\r\n{fields}\r\n\r\n{text}".encode("utf-8", "replace")


def _in_charset(charset: str, text: str) -> object:
    return decode(text.encode("utf-8", "replace"), charset)


def _transferred(encoding: str, text: str) -> object:
    return decode_transfer(text.encode("utf-8", "replace"), encoding)


def _whole(fields: str) -> Callable[[str], object]:
    return lambda text: parse(_message(fields, text))


def _field(name: str) -> Callable[[str], object]:
    return lambda text: parse(_message(f"{name}: {_on_one_line(text)}", "x"))


def _on_one_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")


def _tolerant(text: str) -> object:
    raw = _message("Content-Type: multipart/mixed; boundary=b", f"--b\r\n{text}")
    return tolerant_tree(read_headers(raw), raw)


def _verdict(text: str) -> object:
    return authentication_of([Header("authentication-results", f"{AUTHSERV_ID}; {text}")])


def _link(text: str) -> Link | None:
    return find_link("Confirm", f"Confirm: https://a.test/verify {text}", None)


STEPS: Final = (
    Step("runs of characters", without_long_runs, 256 * 1024),
    Step("a header block", lambda text: read_headers(text.encode("utf-8", "replace")), 256 * 1024),
    Step("a header field", lambda text: read_headers(f"X: {_on_one_line(text)}".encode("utf-8", "replace"))),
    *(Step(f"a text in {charset}", partial(_in_charset, charset), 256 * 1024) for charset in _CHARSETS),
    Step("the name of a charset", codec_named.__wrapped__),
    Step("one line", one_line, 256 * 1024),
    Step("encoded-words", decode_words),
    Step("addresses", lambda text: list(mailboxes_in(text))),
    Step("one address", is_promised),
    Step("parameters", lambda text: with_parameters(f"text/plain; {text}"), 8 * 1024),
    Step("a filename", cleaned_filename),
    Step("files in the text", without_files, 256 * 1024),
    *(Step(f"a body in {encoding}", partial(_transferred, encoding), 256 * 1024) for encoding in _ENCODINGS),
    Step("HTML to text", text_of, 256 * 1024),
    Step("shown and hidden HTML", shown_and_hidden, 256 * 1024),
    Step("HTML made safe", safe_html, 320 * 1024),
    Step("the preview of a text", lambda text: preview_of(text, None)),
    Step("the preview of HTML", lambda text: preview_of(None, text), 256 * 1024),
    Step("a code in the subject", lambda text: find_code(f"Your code {text}", None, None)),
    Step("a code in the text", lambda text: find_code("Your code", text, None)),
    Step("a code in HTML", lambda text: find_code("Your code", None, text), 256 * 1024),
    Step("a link in the text", _link),
    Step("a link in HTML", lambda text: find_link("Confirm", None, f"<a href='https://a.test/'>{text}"), 256 * 1024),
    Step("what vouches for the sender", _verdict, 8 * 1024),
    Step("a message of one text", _whole("X: y"), 256 * 1024),
    Step("a message of flowed text", _whole("Content-Type: text/plain; format=flowed; delsp=yes"), 256 * 1024),
    Step("a message of HTML", _whole("Content-Type: text/html; charset=utf-8"), 256 * 1024),
    Step("a message of parts", _whole("Content-Type: multipart/mixed; boundary=b"), 256 * 1024),
    Step("a message in a message", _whole("Content-Type: message/rfc822"), 128 * 1024),
    Step("a message of only its fields", lambda text: parse(text.encode("utf-8", "replace")), 256 * 1024),
    Step("parts by our own reader", _tolerant, 256 * 1024),
    *(
        Step(f"a message with that {name}", _field(name))
        for name in (
            "Subject",
            "From",
            "To",
            "Date",
            "Message-ID",
            "Content-Type",
            "Content-Disposition",
            "Content-Transfer-Encoding",
        )
    ),
    Step(
        "an attachment",
        lambda text: find_attachment(_message("Content-Type: multipart/mixed; boundary=b", text), 0),
        256 * 1024,
    ),
    Step("all facts of a text", lambda text: extract(_message("X: y", text)), 256 * 1024),
    Step("all facts of HTML", lambda text: extract(_message("Content-Type: text/html", text)), 256 * 1024),
)
