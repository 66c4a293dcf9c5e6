"""Messages that are dear to read, sent by SMTP to somebody who is there."""

import base64
from collections.abc import Callable
from functools import cache, partial
from typing import Final

from tests.siege.attacker import Attack, Client

_SIZE: Final = 4_000_000
_SMALL: Final = 46_000  # in base64 just what the reader of small messages takes
_HTML: Final = "text/html; charset=utf-8"
_HOSTILE_TO_EXPRESSIONS: Final = (
    "code " * 8 + "is: " + "1-" * 60 + "a ",
    "https://a.example/" + "verify/" * 200 + "! ",
)


@cache
def _message(text: str, kind: str = "text/plain; charset=utf-8", *fields: str) -> bytes:
    """A message of one part, in base64, so that any text is allowed in it."""
    encoded = base64.encodebytes(text.encode()).replace(b"\n", b"\r\n")
    head = ["Subject: hostile", *fields, "MIME-Version: 1.0", f"Content-Type: {kind}"]
    return "\r\n".join([*head, "Content-Transfer-Encoding: base64", "", ""]).encode() + encoded


def _repeated(unit: str, size: int) -> str:
    return unit * (size // len(unit.encode()))


async def _keep_sending(client: Client, made: Callable[[], bytes]) -> None:
    """The message over and over, each a little different."""
    raw = made()
    async with client.smtp() as connection:
        while True:
            await connection.message([client.target.recipient], client.field(), raw)


async def marks_combine_without_end(client: Client) -> None:
    """46 kB of two marks of different classes in turn: sorting them took their square (I5)."""
    await _keep_sending(client, partial(_message, "a" + _repeated("\u0300\u0316", _SMALL)))


async def large_messages_are_made_of_marks(client: Client) -> None:
    """The same in 4 MB."""
    await _keep_sending(client, partial(_message, "a" + _repeated("\u0300\u0316\u0327", _SIZE)))


@cache
def _large_marks() -> bytes:
    return _message("a" + _repeated("\u0300\u0316\u0327", 18_000_000))


async def the_largest_messages_are_made_of_marks(client: Client) -> None:
    """The same in 24 MB of base64, from sixteen addresses: as much reading as the limit allows."""
    await _keep_sending(client, _large_marks)


async def subjects_are_made_of_marks(client: Client) -> None:
    """The same in the subject."""
    subject = base64.b64encode(_repeated("\u0300\u0316", 30_000).encode()).decode()
    await _keep_sending(
        client, partial(_message, "Hello.", "text/plain", f"X-Old: x\r\nSubject: =?utf-8?b?{subject}?=")
    )


async def characters_have_no_width(client: Client) -> None:
    """Runs of joiners, of soft hyphens and of variation selectors."""
    await _keep_sending(client, partial(_message, "1" + _repeated("\u200b\u200d\u00ad\ufe0f\u2060", _SMALL) + "2"))


async def directions_change_without_end(client: Client) -> None:
    """Overrides, embeddings and isolates, opened and never closed."""
    await _keep_sending(client, partial(_message, _repeated("\u202e\u2066\u202b1", _SMALL)))


async def characters_grow_when_normalised(client: Client) -> None:
    """One character that becomes eighteen."""
    await _keep_sending(client, partial(_message, _repeated("\ufdfa", _SIZE)))


@cache
def _parts() -> bytes:
    part = b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    return b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 10_000 + b"--b--\r\n"


async def messages_have_ten_thousand_parts(client: Client) -> None:
    """Parts of one byte."""
    await _keep_sending(client, _parts)


@cache
def _nested() -> bytes:
    opened = [f'Content-Type: multipart/mixed; boundary="b{level}"\r\n\r\n--b{level}\r\n' for level in range(2_000)]
    return "".join(opened).encode() + b"\r\nx\r\n"


async def parts_are_nested_deeply(client: Client) -> None:
    """2,000 multiparts in each other."""
    await _keep_sending(client, _nested)


async def messages_are_attached_to_messages(client: Client) -> None:
    """1,000 forwarded messages in each other."""
    await _keep_sending(client, lambda: b"Content-Type: message/rfc822\r\n\r\n" * 1_000 + b"Subject: x\r\n\r\nx")


async def subjects_have_ten_thousand_encoded_words(client: Client) -> None:
    """Encoded words, each in another character set."""
    words = "\r\n ".join(f"=?{charset}?q?=41?=" for charset in ("utf-8", "iso-2022-jp", "gb18030", "koi8-r") * 2_500)
    await _keep_sending(client, lambda: f"Subject: {words}\r\n\r\nx".encode())


async def address_lists_have_fifty_thousand_groups(client: Client) -> None:
    """Groups, comments and quotes that are opened in From and To."""
    lists = "\r\n ".join(['(((("a:b;,"<@a,@b:c@d>'] * 50_000)
    await _keep_sending(client, lambda: f"From: {lists}\r\nTo: {lists}\r\nSubject: x\r\n\r\nx".encode())


async def headers_are_ten_thousand(client: Client) -> None:
    """10,000 fields, each folded."""
    fields = b"".join(b"X-%d: a\r\n b;c=d;\r\n e*0*=f'\r\n" % number for number in range(10_000))
    await _keep_sending(client, lambda: fields + b"\r\nx")


async def base_64_is_broken_in_four_megabytes(client: Client) -> None:
    """Padding and junk in the middle of every line."""
    head = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    await _keep_sending(client, lambda: head + b"QQ==!QQ=\xff=====Q\r\n" * 220_000)


async def quoted_printable_is_made_of_soft_breaks(client: Client) -> None:
    """4 MB of escapes that are none, and of lines that do not end."""
    head = b"Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    await _keep_sending(client, lambda: head + b"=\r\n=3D=3\r\n=\r\n==" * 280_000)


async def html_has_a_hundred_thousand_tags(client: Client) -> None:
    """Tags that are opened in each other and not closed."""
    await _keep_sending(client, partial(_message, "<div><b><a href=x>" * 100_000, _HTML))


async def tables_are_nested_deeply(client: Client) -> None:
    """Tables and formatting elements in each other, which a parser has to adopt (HTML, 13.2.6.4.7)."""
    await _keep_sending(client, partial(_message, "<table><tr><td><a><b><i><font>" * 20_000, _HTML))


async def entities_and_attributes_have_no_end(client: Client) -> None:
    """One tag of 4 MB of attributes, and entities without their semicolon."""
    text = "<p " + "a='&amp&#x41&notin' " * 100_000 + ">" + "&amp&#65&#xfffffff" * 100_000
    await _keep_sending(client, partial(_message, text, _HTML))


async def style_sheets_are_hostile(client: Client) -> None:
    """Comments, escapes and brackets that are opened, in sheets and in attributes."""
    sheet = "<style>" + "a{b:url(\\\n/*{[(" * 50_000 + "</style>"
    await _keep_sending(client, partial(_message, sheet + "<p style='display:/*\\6eone;;'>1</p>" * 30_000, _HTML))


async def html_comments_are_never_closed(client: Client) -> None:
    """What looks like a comment, a script, a conditional, and goes on."""
    await _keep_sending(client, partial(_message, "<!--[if mso]><!-<![CDATA[<script><!--" * 100_000, _HTML))


async def texts_are_made_for_searches_to_go_back(client: Client) -> None:
    """Near-codes and near-links, in 46 kB."""
    await _keep_sending(client, partial(_message, "".join(_HOSTILE_TO_EXPRESSIONS) * 20))


async def large_texts_are_made_of_codes(client: Client) -> None:
    """4 MB of numbers that may all be the code."""
    await _keep_sending(client, partial(_message, "Your verification code is 482911 or 39-44-11 \n" * 87_000))


async def large_texts_are_one_word(client: Client) -> None:
    """4 MB without a space, and an @ in every tenth place."""
    await _keep_sending(client, partial(_message, _repeated("abcdefghi@", _SIZE)))


async def links_are_a_hundred_thousand(client: Client) -> None:
    """As many links as fit, each to be looked at."""
    link = '<a href="https://a.example/verify?token=%41%42&x=y">Confirm</a>'
    await _keep_sending(client, partial(_message, link * 60_000, _HTML))


async def character_sets_are_odd(client: Client) -> None:
    """Sets with states, and ones that there are not."""
    odd = ("utf-7", "hz", "iso-2022-jp-3", "idna", "punycode", "unicode_escape", "zlib", "x" * 5_000)
    parts = "".join(
        f"--b\r\nContent-Type: text/plain; charset={name}\r\n\r\n{'+AGE-~{VP~}' * 5_000}\r\n" for name in odd
    )
    await _keep_sending(client, lambda: b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts.encode())


@cache
def _pictures() -> bytes:
    shown = "".join(f'<img src="cid:{number}@a">' for number in range(990))
    pixels = base64.b64encode(b"GIF89a" + b"\0" * 3_000).decode()
    pictures = [
        f"--b\r\nContent-Type: image/gif\r\nContent-ID: <{number}@a>\r\nContent-Disposition: inline\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{pixels}\r\n"
        for number in range(990)
    ]
    head = f"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n{shown}\r\n"
    return (head + "".join(pictures) + "--b--\r\n").encode()


async def pictures_are_nine_hundred_and_ninety(client: Client) -> None:
    """5 MB of pictures that stand in the text (I11, as far as a stranger goes)."""
    await _keep_sending(client, _pictures)


ATTACKS: Final = (
    Attack(marks_combine_without_end, 12, 200, finding="I5"),
    Attack(large_messages_are_made_of_marks, 12, 200, finding="I5"),
    Attack(the_largest_messages_are_made_of_marks, 16, 300, is_spread=True),
    Attack(subjects_are_made_of_marks, 12, 200, finding="I5"),
    Attack(characters_have_no_width, 12, 200, finding="I5"),
    Attack(directions_change_without_end, 12, 200, finding="I5"),
    Attack(characters_grow_when_normalised, 12, 200),
    Attack(messages_have_ten_thousand_parts, 12, 200),
    Attack(parts_are_nested_deeply, 12, 200),
    Attack(messages_are_attached_to_messages, 12, 200),
    Attack(subjects_have_ten_thousand_encoded_words, 12, 200),
    Attack(address_lists_have_fifty_thousand_groups, 12, 200),
    Attack(headers_are_ten_thousand, 12, 200),
    Attack(base_64_is_broken_in_four_megabytes, 12, 200),
    Attack(quoted_printable_is_made_of_soft_breaks, 12, 200),
    Attack(html_has_a_hundred_thousand_tags, 12, 200),
    Attack(tables_are_nested_deeply, 12, 200),
    Attack(entities_and_attributes_have_no_end, 12, 200),
    Attack(style_sheets_are_hostile, 12, 200),
    Attack(html_comments_are_never_closed, 12, 200),
    Attack(texts_are_made_for_searches_to_go_back, 12, 200),
    Attack(large_texts_are_made_of_codes, 12, 200),
    Attack(large_texts_are_one_word, 12, 200),
    Attack(links_are_a_hundred_thousand, 12, 200),
    Attack(character_sets_are_odd, 12, 200),
    Attack(pictures_are_nine_hundred_and_ninety, 12, 200, finding="I11"),
)
