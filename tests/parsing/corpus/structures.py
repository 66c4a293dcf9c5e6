"""Bodies inside bodies, whole and broken."""

from typing import Final

from tests.parsing.corpus.case import Case, File, mail, part, parts

_TEXT: Final = part("text/plain", "plain")
_HTML: Final = part("text/html", "<p>html</p>")
_INNER: Final = "Subject: inner\r\nFrom: b@b.co\r\n\r\ninner text"
_CALENDAR: Final = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR"
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def _encoded(name: str, encoding: str, body: str | bytes, text: str) -> Case:
    return Case(name, mail(f"Content-Transfer-Encoding: {encoding}", "", body), text=text)


def _bounded(name: str, declared: str, body: str, text: str | None, **more: object) -> Case:
    return Case(name, mail(f"Content-Type: multipart/mixed{declared}", "", body), text=text, **more)  # type: ignore[arg-type]


CASES: Final[tuple[Case, ...]] = (
    Case("alternative", parts(_TEXT, _HTML, kind="alternative"), text="plain", html="<p>html</p>"),
    Case("HTML alone", mail("Content-Type: text/html", "", "<p>html</p>"), html="<p>html</p>"),
    Case(
        "alternative with a calendar",
        parts(_TEXT, _HTML, part("text/calendar; method=REQUEST", _CALENDAR), kind="alternative"),
        text="plain",
        html="<p>html</p>",
        files=(File(None, "text/calendar", _CALENDAR, "unknown"),),
    ),
    Case(
        "related, with a picture by cid",
        parts(
            part("text/html", '<img src="cid:logo@x">'),
            part("image/png", _PNG, "Content-ID: <logo@x>", "Content-Disposition: inline; filename=logo.png"),
            kind="related",
        ),
        html='<img src="cid:logo@x">',
        files=(File("logo.png", "image/png", _PNG, "inline", "<logo@x>"),),
    ),
    Case(
        "signed",
        parts(_TEXT, part("application/pgp-signature; name=signature.asc", "SIG"), kind="signed"),
        text="plain",
        files=(File("signature.asc", "application/pgp-signature", b"SIG", "unknown"),),
    ),
    Case(
        "encrypted",
        parts(
            part("application/pgp-encrypted", "Version: 1"),
            part("application/octet-stream; name=encrypted.asc", "-----BEGIN PGP MESSAGE-----"),
            kind="encrypted",
        ),
        files=(
            File(None, "application/pgp-encrypted", b"Version: 1", "unknown"),
            File("encrypted.asc", "application/octet-stream", b"-----BEGIN PGP MESSAGE-----", "unknown"),
        ),
    ),
    Case(
        "a report about delivery",
        parts(
            part("text/plain", "It did not arrive."),
            part("message/delivery-status", "Reporting-MTA: dns; mx.example\r\n\r\nAction: failed"),
            part("message/rfc822", _INNER),
            kind="report",
        ),
        text="It did not arrive.",
        files=(
            File(None, "message/delivery-status", b"Reporting-MTA: dns; mx.example\r\n\r\nAction: failed", "unknown"),
            File(None, "message/rfc822", _INNER.encode(), "unknown"),
        ),
    ),
    Case("a message in a message", parts(_TEXT, part("message/rfc822", _INNER)),
         text="plain\nFrom: b@b.co\nSubject: inner\n\ninner text"),
    Case(
        "a message attached",
        parts(_TEXT, part("message/rfc822", _INNER, "Content-Disposition: attachment; filename=inner.eml")),
        text="plain",
        files=(File("inner.eml", "message/rfc822", _INNER.encode()),),
    ),
    Case(
        "a message in a message in a message",
        mail("Content-Type: message/rfc822", "", f"Subject: one\r\nContent-Type: message/rfc822\r\n\r\n{_INNER}"),
        text="Subject: one\n\nFrom: b@b.co\nSubject: inner\n\ninner text",
    ),
    Case("a digest", parts(part(None, _INNER), part(None, _INNER), kind="digest"),
         text="From: b@b.co\nSubject: inner\n\ninner text\nFrom: b@b.co\nSubject: inner\n\ninner text"),
    Case("siblings of both kinds", parts(_TEXT, part("text/html", "<p>1 &lt; 2</p>")),
         text="plain\n1 < 2", html="<div>plain</div>\n<p>1 &lt; 2</p>"),
    Case("other texts are files", parts(_TEXT, part("text/csv; name=a.csv", "a,b")),
         text="plain", files=(File("a.csv", "text/csv", b"a,b", "unknown"),)),
    Case("a multipart with nothing in it", mail("Content-Type: multipart/mixed; boundary=b", "", "--b--"), text=None),
    # boundaries
    _bounded("the last boundary is missing", "; boundary=b", "--b\r\n\r\nt\r\n", "t\n"),
    _bounded("the boundary is not declared", "", "--b\r\n\r\nt\r\n--b--", "t", defects=("structure_repaired",)),
    _bounded("the boundary never comes", "; boundary=b", "t", "t", defects=("structure_repaired",)),
    _bounded("another boundary is declared", "; boundary=c", "--b\r\n\r\nt\r\n--b--", "t"),
    _bounded("spaces in the boundary", '; boundary="a b  c"', "--a b  c\r\n\r\nt\r\n--a b  c--", "t"),
    _bounded("spaces behind the boundary", "; boundary=b", "--b  \r\n\r\nt\r\n--b--  ", "t"),
    _bounded("signs in the boundary", '; boundary="=_(x)+\'?."', "--=_(x)+'?.\r\n\r\nt\r\n--=_(x)+'?.--", "t"),
    _bounded("a boundary that begins like another", "; boundary=b", "--b\r\n\r\n--bb\r\n--b--", "--bb"),
    _bounded("words before and behind", "; boundary=b", "before\r\n--b\r\n\r\nt\r\n--b--\r\nbehind", "t"),
    Case(
        "an inner boundary that begins with the outer one",
        mail(
            "Content-Type: multipart/mixed; boundary=b", "",
            "--b\r\nContent-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n\r\none\r\n--bb--\r\n"
            "--b\r\n\r\ntwo\r\n--b--",
        ),
        text="one\ntwo",
    ),
    Case(
        "inner and outer with one boundary",
        mail(
            "Content-Type: multipart/mixed; boundary=b", "",
            "--b\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n",
        ),
        text="one",
    ),
    # transfer encodings
    _encoded("quoted-printable", "quoted-printable", "caf=C3=A9 =3D a=20\r\nsoft=\r\n break", "café = a \nsoft break"),
    _encoded("quoted-printable, broken hex", "quoted-printable", "a=ZZb=4", "a=ZZb=4"),
    _encoded("quoted-printable in small letters", "QUOTED-PRINTABLE", "caf=c3=a9", "café"),
    _encoded("quoted-printable, a space after the soft break", "quoted-printable", "one= \r\ntwo", "onetwo"),
    _encoded("base64", "base64", "aGVsbG8gdGhlcmU=", "hello there"),
    _encoded("base64 with garbage", "base64", "aGVs*bG8!\r\n gdGhl\x00cmU=", "hello there"),
    _encoded("base64 without padding", "base64", "aGVsbG8gdGhlcmU", "hello there"),
    _encoded("base64 cut short", "base64", "aGVsbG8gdGhlcmUx", "hello there1"),
    _encoded("base64 in two pieces with padding between", "base64", "aGVsbG8=\r\nIHRoZXJl", "hello there"),
    _encoded("base64 cut inside a group", "base64", "aGVsbG8gd", "hello "),
    _encoded("an encoding there is not", "x-none", "as it is", "as it is"),
    _encoded("an encoding with a comment", "base64 (really)", "aGVsbG8=", "hello"),
    Case(
        "format=flowed",
        mail("Content-Type: text/plain; format=flowed", "", "one \r\ntwo\r\n> quoted \r\n> on\r\n-- \r\nAda"),
        text="one two\n> quoted on\n-- \nAda",
    ),
    Case(
        "format=flowed with delsp, an empty line and a line end at the end",
        mail("Content-Type: text/plain; format=flowed; delsp=yes", "", "一 \r\n二\r\n\r\n>> a \r\n> b\r\n"),
        text="一二\n\n>> a\n> b\n",
    ),
    Case("NULs in the text", mail("", b"a\x00b"), text="ab"),
    Case("controls in the text", mail("", "a\x07\x1b[31mb"), text="a\x07\x1b[31mb"),
    Case("two Content-Types", mail("Content-Type: text/html", "Content-Type: text/plain", "", "<p>x</p>"),
         html="<p>x</p>"),
    Case("a Content-Type that is none", mail("Content-Type: text", "", "x"), text="x"),
    Case("a Content-Type of an old kind", mail("Content-Type: text/plain charset=utf-8", "", "x"), text="x"),
    Case("type in capitals", mail("CONTENT-TYPE: TEXT/HTML; CHARSET=UTF-8", "", "<p>x</p>"), html="<p>x</p>"),
    Case("yEnc stays text", mail("", "=ybegin line=128 size=3 name=a.bin\r\n)*+\r\n=yend size=3"),
         text="=ybegin line=128 size=3 name=a.bin\n)*+\n=yend size=3"),
)  # fmt: skip
