"""Header fields as senders write them."""

import base64
from typing import Final

from tests.parsing.corpus.case import NO_SUBJECT, Case, mail


def _b(content: bytes, charset: str = "utf-8") -> str:
    return f"=?{charset}?B?{base64.b64encode(content).decode()}?="


def _subject(name: str, written: str | bytes, read: str) -> Case:
    raw = written if isinstance(written, bytes) else written.encode()
    return Case(name, mail(b"Subject: " + raw, "", "t", subject=None), subject=read, text="t")


def _from(name: str, written: str | bytes, sender: tuple[str | None, str | None]) -> Case:
    raw = written if isinstance(written, bytes) else written.encode()
    return Case(name, mail(b"From: " + raw, "", "t", sender=None), sender=sender, text="t")


_CODE = "您的验证码".encode()

CASES: Final[tuple[Case, ...]] = (
    _subject("encoded-word in B", _b(_CODE), "您的验证码"),
    _subject("encoded-word in Q", "=?UTF-8?Q?Gr=C3=BC=C3=9Fe_an_dich?=", "Grüße an dich"),
    _subject("encoded-words split inside a character", f"{_b(_CODE[:4])}\r\n {_b(_CODE[4:])}", "您的验证码"),
    _subject("Q encoded-words split inside a character", "=?utf-8?q?=E6=82?= =?utf-8?q?=A8?=", "您"),
    _subject("encoded-words of two charsets", f"{_b(_CODE)} {_b('код'.encode('koi8-r'), 'koi8-r')}", "您的验证码код"),
    _subject("adjacent without a space", f"{_b(b'one')}{_b(b'two')}", "onetwo"),
    _subject("encoded-word beside plain words", f"Re: {_b(b'one')} and {_b(b'two')}!", "Re: one and two!"),
    _subject("encoded-word with a language", "=?utf-8*de?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
    _subject("encoded-word in ISO-2022-JP", _b("認証コード".encode("iso-2022-jp"), "ISO-2022-JP"), "認証コード"),
    _subject("encoded-word in GB2312", _b("验证码".encode("gbk"), "gb2312"), "验证码"),
    _subject("encoded-word of an unknown charset", "=?x-klingon?Q?na=C3=AFve?=", "naïve"),
    _subject("encoded-word without padding", "=?utf-8?B?aGVsbG8?=", "hello"),
    _subject("encoded-word with a space inside", "=?utf-8?Q?hello there?=", "hello there"),
    _subject("encoded-word that never ends", "=?utf-8?B?aGVsbG8", "=?utf-8?B?aGVsbG8"),
    _subject("encoded-word with an encoding there is not", "=?utf-8?X?hello?=", "=?utf-8?X?hello?="),
    _subject("encoded-word with nothing in it", "=?utf-8?Q??= x", "x"),
    _subject("line breaks inside an encoded-word", "=?utf-8?Q?one=0D=0ABcc:_x@b.co?=", "one Bcc: x@b.co"),
    _subject("a NUL inside an encoded-word", "=?utf-8?Q?a=00b?=", "ab"),
    _subject("folded", "one\r\n two\r\n\tthree", "one two three"),
    _subject("raw UTF-8", "您的验证码", "您的验证码"),
    _subject("raw 8-bit that is no UTF-8", b"Gr\xfc\xdfe", "Grüße"),
    _subject("controls and NULs", b"a\x00b\x07c\x1b[31m", "abc[31m"),
    _subject("longer than a field may be", "x" * 5000, "x" * 998),
    _subject("empty", "", NO_SUBJECT),
    _subject("only white space", "   \r\n  ", NO_SUBJECT),
    Case("no Subject", mail("", "t", subject=None), subject=NO_SUBJECT, text="t"),
    Case("two Subjects", mail("Subject: second", "", "t"), subject="second", text="t"),
    Case("Subject in capitals", mail("SUBJECT: loud", "", "t", subject=None), subject="loud", text="t"),
    Case("a space before the colon", mail("Subject : s", "", "t", subject=None), text="t"),
    _from("a name and an address", "Ada Lovelace <ada@x.example>", ("Ada Lovelace", "ada@x.example")),
    _from("a quoted name with a comma", '"Lovelace, Ada" <ada@x.example>', ("Lovelace, Ada", "ada@x.example")),
    _from("an encoded name", "=?utf-8?Q?J=C3=BCrgen?= <j@x.example>", ("Jürgen", "j@x.example")),
    _from("an encoded name in quotes", '"=?utf-8?Q?J=C3=BCrgen?=" <j@x.example>', ("Jürgen", "j@x.example")),
    _from(
        "a name encoded in two words", f"{_b(_CODE[:6])} {_b(_CODE[6:])} <c@x.example>", ("您的验证码", "c@x.example")
    ),
    _from("a raw 8-bit name", b"J\xfcrgen <j@x.example>", ("Jürgen", "j@x.example")),
    _from("a name behind the address", "j@x.example (Jane)", ("Jane", "j@x.example")),
    _from("no address", "MAILER-DAEMON", ("MAILER-DAEMON", None)),
    _from("an empty address", "<>", (None, None)),
    _from("an address without a dot", "root@localhost", (None, None)),
    _from("an angle that never closes", "Ada <ada@x.example", ("Ada", "ada@x.example")),
    _from("two senders", "Ada <ada@x.example>, Bob <bob@x.example>", ("Ada", "ada@x.example")),
    _from("an address for a name", '"ceo@bank.example" <eve@evil.example>', ("ceo@bank.example", "eve@evil.example")),
    _from("a name that writes backwards", "\u202eada <a@x.example>", ("ada", "a@x.example")),
    _from("a group", "Friends: ada@x.example, bob@x.example;", (None, "ada@x.example")),
    _from("a folded sender", "Ada\r\n <ada@x.example>", ("Ada", "ada@x.example")),
    Case("no From", mail("", "t", sender=None), sender=(None, None), text="t"),
    Case("two Froms", mail("From: Bob <bob@x.example>", "", "t"), sender=("Bob", "bob@x.example"), text="t"),
    Case("only headers", b"Subject: s\r\nFrom: a@b.co\r\n", text=None),
    Case("only headers, cut in a line", b"Subject: s\r\nFrom: a@b.co", text=None),
    Case("headers and an empty body", mail("", ""), text=None),
    Case(
        "no headers",
        b"\r\nhello\r\n",
        subject=NO_SUBJECT,
        sender=(None, None),
        text="hello\n",
        status="failed",
        defects=("no_headers",),
    ),
    Case(
        "nothing",
        b"",
        subject=NO_SUBJECT,
        sender=(None, None),
        text=None,
        status="failed",
        defects=("no_headers",),
    ),
    Case("only line feeds", mail("", "one", "two").replace(b"\r", b""), text="one\ntwo"),
    Case("only carriage returns", mail("", "one", "two").replace(b"\n", b""), text="one\ntwo"),
    Case(
        "line ends of all kinds",
        b"Subject: s\nFrom: a@b.co\r\n\r\none\rtwo\nthree\r\nfour",
        text="one\ntwo\nthree\nfour",
    ),
    Case("an mbox line before the headers", b"From a@b.co Fri Apr  3 12:00:00 2026\r\n" + mail("", "t"), text="t"),
    Case("an empty line before the headers", b"\r\n" + mail("", "t"), text="t"),
    Case("a line that is no field", mail("no field at all", "", "t"), text="no field at all\n\nt"),
)
