"""Texts in the charsets of the world, labelled rightly, wrongly and not at all."""

import base64
from typing import Final

from tests.parsing.corpus.case import Case, mail

_HELLO: Final = {
    "utf-8": "Grüße, 你好, привет",
    "iso-8859-1": "Grüße – nein: Gr\u00fc\u00dfe".replace("–", "-"),
    "iso-8859-2": "Zażółć gęślą jaźń",
    "iso-8859-15": "Preis: 5 €",
    "windows-1250": "Příliš žluťoučký kůň",
    "windows-1251": "Съешь же ещё этих мягких булок",
    "windows-1252": "“Curly” – 5 €",
    "windows-1253": "Καλημέρα",
    "windows-1254": "İyi günler, ığüşöç",
    "windows-1255": "שלום",
    "windows-1256": "مرحبا",
    "windows-1257": "Ąžuolas",
    "windows-1258": "Tiếng".replace("ế", "ê\u0301"),
    "koi8-r": "код подтверждения",
    "koi8-u": "Ґанок і їжак",
    "gb2312": "您的验证码",
    "gbk": "認證 碼 您好",
    "gb18030": "验证码 𠮷 丂",
    "big5": "您的驗證碼",
    "euc-kr": "인증 번호",
    "ks_c_5601-1987": "똠방각하",
    "shift_jis": "認証コード ①",
    "euc-jp": "認証コード",
    "iso-2022-jp": "認証コードは",
    "utf-7": "Hi Mom ☺!",
    "utf-16": "Grüße 你好",
    "utf-16le": "Grüße 你好",
    "tis-620": "สวัสดี",
}
# What our own encoder must be told for a label that Python knows by another name, or too narrowly.
_ENCODE_AS: Final = {"ks_c_5601-1987": "cp949", "shift_jis": "cp932"}


def _in(charset: str, text: str) -> Case:
    return Case(f"text in {charset}", _coded(charset, text.encode(_ENCODE_AS.get(charset, charset))), text=text)


def _coded(charset: str, content: bytes, kind: str = "text/plain") -> bytes:
    return mail(
        f'Content-Type: {kind}; charset="{charset}"',
        "Content-Transfer-Encoding: base64",
        "",
        base64.encodebytes(content),
    )


def _raw(label: str, content: bytes, kind: str = "text/plain") -> bytes:
    return mail(f"Content-Type: {kind}{label}", "Content-Transfer-Encoding: 8bit", "", content)


CASES: Final[tuple[Case, ...]] = (
    *(_in(charset, text) for charset, text in _HELLO.items()),
    Case("no charset, UTF-8", _raw("", "naïve 你好".encode()), text="naïve 你好"),
    Case("no charset, Windows-1252", _raw("", "naïve – 5 €".encode("cp1252")), text="naïve – 5 €"),
    Case("unknown charset", _raw("; charset=x-klingon", "naïve".encode()), text="naïve"),
    Case("empty charset", _raw('; charset=""', "naïve".encode()), text="naïve"),
    Case("called ascii, is UTF-8", _raw("; charset=us-ascii", "naïve".encode()), text="naïve"),
    Case("called ascii, is Windows-1252", _raw("; charset=us-ascii", b"na\xefve"), text="naïve"),
    Case("called UTF-8, is Windows-1252", _raw("; charset=utf-8", b"na\xefve"), text="na\ufffdve"),
    Case("called iso-8859-1, is Windows-1252", _raw("; charset=iso-8859-1", b"\x93x\x94"), text="“x”"),
    Case("called gb2312, needs GB18030", _raw("; charset=gb2312", "镕".encode("gb18030")), text="镕"),
    Case("charset in single quotes", _raw("; charset='gbk'", "您".encode("gbk")), text="您"),
    Case("charset with a comment after it", _raw("; charset=gbk (Chinese)", "您".encode("gbk")), text="您"),
    Case("UTF-8 with a byte order mark", _raw("; charset=utf-8", b"\xef\xbb\xbfhi"), text="hi"),
    Case(
        "HTML that names its charset itself",
        _raw("", b"<meta charset=gbk><p>" + "您".encode("gbk") + b"</p>", "text/html"),
        html="<meta charset=gbk><p>您</p>",
    ),
    Case("bytes cut inside a character", _raw("; charset=utf-8", "您".encode()[:2]), text="\ufffd"),
    Case("a codec that is none of mail's", _raw("; charset=rot13", b"uryyb"), text="uryyb"),
    Case("a surrogate by UTF-7", _raw("; charset=utf-7", b"a+2AA-b"), text="ab"),
)
