"""Attachments: their names, their bytes, and the ways both are written."""

import base64
import binascii
from typing import Final

from tests.parsing.corpus.case import Case, File, mail, part, parts

_TEXT: Final = part("text/plain", "t")
_BYTES: Final = bytes(range(256)) * 3


def _named(name: str, fields: list[str], filename: str | None, kind: str = "application/pdf") -> Case:
    described = any(field.startswith("Content-Disposition") for field in fields)
    wanted = File(filename, kind, b"x", "attachment" if described else "unknown")
    types = [field for field in fields if field.startswith("Content-Type: ")]
    said = types[0].removeprefix("Content-Type: ") if types else kind
    section = part(said, b"x", *[field for field in fields if field not in types])
    return Case(name, parts(_TEXT, section), text="t", files=(wanted,))


def _disposition(name: str, parameters: str, filename: str | None) -> Case:
    return _named(name, [f"Content-Disposition: attachment; {parameters}"], filename)


def uuencoded(content: bytes, filename: str = "a.bin") -> str:
    """*content* as the old `uuencode` wrote it."""
    lines = [binascii.b2a_uu(content[at : at + 45]).decode().rstrip("\n") for at in range(0, len(content), 45)]
    return "\r\n".join([f"begin 644 {filename}", *lines, "`", "end"])


CASES: Final[tuple[Case, ...]] = (
    _disposition("a plain name", "filename=a.pdf", "a.pdf"),
    _disposition("a quoted name", 'filename="a b; c.pdf"', "a b; c.pdf"),
    _disposition("quotes in the name", 'filename="a \\"b\\".pdf"', 'a "b".pdf'),
    _disposition("a quote that never closes", 'filename="a.pdf', "a.pdf"),
    _disposition("RFC 2231", "filename*=utf-8''%E4%BD%A0%20a.pdf", "你 a.pdf"),
    _disposition("RFC 2231 with a language", "filename*=iso-8859-1'de'Gr%FC%DFe.pdf", "Grüße.pdf"),
    _disposition("RFC 2231 in pieces", "filename*0*=utf-8''%E4%BD; filename*1*=%A0; filename*2=.pdf", "你.pdf"),
    _disposition("pieces out of order", "filename*1=b.pdf; filename*0=a", "ab.pdf"),
    _disposition("pieces in quotes", 'filename*0="a "; filename*1="b.pdf"', "a b.pdf"),
    _disposition("both ways, the encoded one counts", "filename=x.pdf; filename*=utf-8''y.pdf", "y.pdf"),
    _disposition("both ways, turned round", "filename*=utf-8''y.pdf; filename=x.pdf", "y.pdf"),
    _disposition("RFC 2231 with broken escapes", "filename*=utf-8''a%ZZ%4.pdf", "a%ZZ%4.pdf"),
    _disposition("RFC 2231 of an unknown charset", "filename*=x-klingon''na%C3%AFve.pdf", "naïve.pdf"),
    _disposition("an encoded-word in quotes", 'filename="=?gbk?B?xOM=?=.pdf"', "你.pdf"),
    _disposition("an encoded-word without quotes", "filename==?utf-8?Q?=E4=BD=A0.pdf?=", "你.pdf"),
    _disposition("raw UTF-8", 'filename="你.pdf"', "你.pdf"),
    _disposition("a path that climbs", 'filename="../../etc/passwd"', "passwd"),
    _disposition("a path of Windows", r'filename="C:\\Users\\ada\\a.pdf"', "a.pdf"),
    _disposition("an encoded path", "filename*=utf-8''..%2F..%2Fa.pdf", "a.pdf"),
    _disposition("only dots", 'filename=".."', None),
    _disposition("an empty name", 'filename=""', None),
    _disposition("controls in the name", "filename*=utf-8''a%0D%0Ab%00c%07.pdf", "a bc.pdf"),
    _disposition("a name that writes backwards", "filename*=utf-8''a%E2%80%AEfdp.exe", "afdp.exe"),
    _disposition("a name that is too long", f'filename="{"x" * 400}.pdf"', "x" * 251 + ".pdf"),
    _disposition("folded inside the name", 'filename="a\r\n b.pdf"', "a b.pdf"),
    _named("only the type has a name", ["Content-Type: application/pdf; name=a.pdf"], "a.pdf"),
    _named(
        "the disposition's name counts more",
        ["Content-Type: application/pdf; name=x.pdf", "Content-Disposition: attachment; filename=a.pdf"],
        "a.pdf",
    ),
    Case(
        "base64",
        parts(
            _TEXT,
            part("image/png", base64.encodebytes(_BYTES), "Content-Transfer-Encoding: base64",
                 "Content-Disposition: attachment; filename=a.png"),
        ),
        text="t",
        files=(File("a.png", "image/png", _BYTES),),
    ),
    Case(
        "8-bit bytes as they are",
        parts(_TEXT, part("application/x", b"\x00\xff\x80", "Content-Disposition: attachment")),
        text="t",
        files=(File(None, "application/x", b"\x00\xff\x80"),),
    ),
    Case("an attached text is no body", parts(_TEXT, part("text/html", "<p>x", "Content-Disposition: attachment")),
         text="t", files=(File(None, "text/html", b"<p>x"),)),
    Case("a file alone", mail("Content-Type: application/pdf; name=a.pdf", "", b"%PDF"),
         text=None, files=(File("a.pdf", "application/pdf", b"%PDF", "unknown"),)),
    Case(
        "an inline picture without a name",
        parts(_TEXT, part("image/gif", b"GIF89a", "Content-Disposition: inline", "Content-ID: <x@y>")),
        text="t",
        files=(File(None, "image/gif", b"GIF89a", "inline", "<x@y>"),),
    ),
    Case("a disposition there is not", parts(_TEXT, part("application/x", b"x", "Content-Disposition: whatever")),
         text="t", files=(File(None, "application/x", b"x", "unknown"),)),
    Case("TNEF stays as it is", parts(_TEXT, part("application/ms-tnef; name=winmail.dat", b"\x78\x9f\x3e\x22")),
         text="t", files=(File("winmail.dat", "application/ms-tnef", b"\x78\x9f\x3e\x22", "unknown"),)),
    Case("uuencode in the text", mail("", f"Hello.\r\n{uuencoded(_BYTES)}\r\nBye."),
         text="Hello.\nBye.", files=(File("a.bin", "application/octet-stream", _BYTES),)),
    Case("two uuencoded files", mail("", f"{uuencoded(b'one', 'a b.txt')}\r\n{uuencoded(b'two')}"),
         text=None,
         files=(File("a b.txt", "application/octet-stream", b"one"),
                File("a.bin", "application/octet-stream", b"two"))),
    Case("uuencode that never ends", mail("", "Hello.\r\nbegin 644 a.bin\r\n#;VYE"),
         text="Hello.\nbegin 644 a.bin\n#;VYE"),
    Case("words that look like uuencode", mail("", "begin 644 steps\r\nof a long way\r\nend"),
         text="begin 644 steps\nof a long way\nend"),
    Case(
        "uuencode as a transfer encoding",
        parts(_TEXT, part("application/x; name=a.bin", uuencoded(_BYTES), "Content-Transfer-Encoding: x-uuencode")),
        text="t",
        files=(File("a.bin", "application/x", _BYTES, "unknown"),),
    ),
)  # fmt: skip
