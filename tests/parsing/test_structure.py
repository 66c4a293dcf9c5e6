"""Which parts of a mail become its text, its HTML and its attachments, also when the structure is broken."""

import base64
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaisoumail.parsing.mime import parse

MIXED = b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
INNER = b"From: bob@x.example\r\nSubject: Inner\r\n\r\nThe inner text\r\n"


def _part(*fields: str, body: bytes = b"") -> bytes:
    return b"--b\r\n" + "".join(f"{field}\r\n" for field in fields).encode() + b"\r\n" + body + b"\r\n"


def _mixed(*parts: bytes) -> bytes:
    return MIXED + b"".join(parts) + b"--b--\r\n"


def test_alternatives_are_kept_apart() -> None:
    mail = EmailMessage()
    mail.set_content("plain\n")
    mail.add_alternative("<p>html</p>\n", subtype="html")

    parsed = parse(mail.as_bytes(policy=SMTP))

    assert (parsed.text, parsed.html) == ("plain\n", "<p>html</p>\n")


def test_siblings_of_both_kinds_appear_in_both_bodies() -> None:
    parsed = parse(
        _mixed(
            _part("Content-Type: text/plain", body=b"1 < 2"),
            _part("Content-Type: text/html", body=b"<p>Tom &amp; Jerry</p>"),
        )
    )

    assert parsed.text == "1 < 2\nTom & Jerry"
    assert parsed.html == "<div>1 &lt; 2</div>\n<p>Tom &amp; Jerry</p>"


def test_mail_of_html_alone_has_no_text() -> None:
    parsed = parse(b"Content-Type: text/html\r\n\r\n<p>hi</p>")

    assert (parsed.text, parsed.html) == (None, "<p>hi</p>")


def test_an_invitation_and_an_attached_text_are_attachments() -> None:
    parsed = parse(
        _mixed(
            _part("Content-Type: text/plain", body=b"see below"),
            _part("Content-Type: text/calendar; method=REQUEST", body=b"BEGIN:VCALENDAR"),
            _part(
                "Content-Type: text/plain", 'Content-Disposition: attachment; filename="a b.txt"', body=b"not the body"
            ),
            _part("Content-Disposition: attachment", body=b"\x00\x01"),
        )
    )

    assert parsed.text == "see below"
    assert [(each.content_type, each.filename, each.disposition) for each in parsed.attachments] == [
        ("text/calendar", None, "unknown"),
        ("text/plain", "a b.txt", "attachment"),
        ("application/octet-stream", None, "attachment"),
    ]


def test_an_attached_message_is_an_attachment_with_its_size() -> None:
    parsed = parse(
        _mixed(
            _part("Content-Type: text/plain", body=b"outer"),
            _part("Content-Type: message/rfc822", "Content-Disposition: attachment", body=INNER),
        )
    )

    assert parsed.text == "outer"
    assert [(each.content_type, each.size_bytes) for each in parsed.attachments] == [("message/rfc822", len(INNER))]


def test_what_bounced_is_evidence_and_not_the_text_of_the_bounce() -> None:
    parsed = parse(
        _mixed(
            _part("Content-Type: text/plain", body=b"could not be delivered"),
            _part("Content-Type: message/delivery-status", body=b"Action: failed"),
            _part("Content-Type: message/rfc822", body=INNER),
        )
    )

    assert parsed.text == "could not be delivered"
    assert [each.content_type for each in parsed.attachments] == ["message/delivery-status", "message/rfc822"]


def test_a_forwarded_large_message_is_read_too() -> None:
    body = INNER + b"line\r\n" * 60_000

    parsed = parse(_mixed(_part("Content-Type: message/rfc822", body=body)))

    assert parsed.status == "parsed"
    assert parsed.text is not None
    assert "The inner text" in parsed.text
    assert len(parsed.text) > 250_000


@pytest.mark.parametrize(
    ("name", "raw", "text"),
    [
        ("the last boundary is missing", MIXED + b"--b\r\n\r\nhello\r\n", "hello"),
        (
            "the boundary was never declared",
            MIXED.replace(b"; boundary=b", b"") + b"--b\r\n\r\nhello\r\n--b--",
            "hello",
        ),
        ("the boundary never comes", MIXED + b"hello", "hello"),
        ("a part has no empty line", MIXED + b"--b\r\nhello there\r\n--b--\r\n", "hello there"),
        ("a part's text follows its header", MIXED + b"--b\r\nX-A: b\r\nhello there\r\n--b--\r\n", "hello there"),
        (
            "another boundary begins alike",
            MIXED + b"--b\r\n\r\n--bb is no boundary\r\n--b--\r\n",
            "--bb is no boundary",
        ),
        ("only line feeds", MIXED.replace(b"\r", b"") + b"--b\n\nhello\n--b--\n", "hello"),
    ],
)
def test_a_broken_multipart_loses_no_text(name: str, raw: bytes, text: str) -> None:
    parsed = parse(raw)

    assert parsed.text is not None, name
    assert parsed.text.strip() == text, name
    assert parsed.status == "parsed"


def test_a_broken_base64_part_gives_what_it_can_and_spares_its_neighbours() -> None:
    parsed = parse(
        _mixed(
            _part("Content-Type: text/plain", "Content-Transfer-Encoding: base64", body=b"aGVsbG8*!"),
            _part("Content-Type: text/plain", body=b"second"),
        )
    )

    assert parsed.text == "hello\nsecond"


def test_text_before_a_forgotten_empty_line_is_the_body() -> None:
    parsed = parse(b"Subject: x\r\nThis was never a header\r\nNor this\r\n")

    assert parsed.subject == "x"
    assert parsed.text == "This was never a header\nNor this\n"


def test_bytes_that_are_no_mail_are_shown_and_called_failed() -> None:
    parsed = parse(b"just some words")

    assert (parsed.status, parsed.text) == ("failed", "just some words")
    assert parsed.defects == ("no_headers",)


def test_too_deep_a_mail_is_failed_and_keeps_its_headers() -> None:
    levels = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1000))

    parsed = parse(b"Subject: deep\r\n" + levels + b"\r\nhello")

    assert (parsed.status, parsed.subject) == ("failed", "deep")
    assert "nested_too_deep" in parsed.defects


def test_a_body_behind_too_many_headers_is_found() -> None:
    parsed = parse(b"Subject: x\r\n" + b"X-A: b\r\n" * 10_000 + b"\r\nhello")

    assert len(parsed.headers) == 1000
    assert (parsed.text, parsed.defects) == ("hello", ("headers_cut",))


def test_parts_are_counted_to_a_limit() -> None:
    parsed = parse(_mixed(*[_part("Content-Type: application/x", body=b"x")] * 5000))

    assert 900 < len(parsed.attachments) <= 1000
    assert "too_many_parts" in parsed.defects


@pytest.mark.parametrize(
    ("fields", "filename"),
    [
        (["Content-Disposition: attachment; filename*=utf-8''%E4%BD%A0.pdf"], "你.pdf"),
        (["Content-Disposition: attachment; filename*0*=utf-8''%E4%BD%A0; filename*1=b.pdf"], "你b.pdf"),
        (['Content-Disposition: attachment; filename="=?gbk?B?xOM=?=.pdf"'], "你.pdf"),
        (["Content-Type: application/pdf; name=a.pdf", "Content-Disposition: attachment"], "a.pdf"),
        (["Content-Disposition: attachment"], None),
    ],
)
@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_file_name_is_the_same_whoever_reads_it(fields: list[str], filename: str | None, is_damaged: bool) -> None:
    damage = _part("Content-Transfer-Encoding: base64", body=b"*")

    parsed = parse(_mixed(_part(*fields, body=b"x"), *([damage] if is_damaged else [])))

    assert parsed.attachments[0].filename == filename


@pytest.mark.parametrize(
    "charset", ["punycode", "idna", "unicode_escape", "hex", "no-such-charset", "", "a\0b", "x" * 99]
)
def test_a_hostile_charset_is_ignored(charset: str) -> None:
    head = f'Content-Type: text/plain; charset="{charset}"\r\n\r\n'

    assert parse(head.encode() + "naïve".encode()).text == "naïve"


def test_nothing_a_database_refuses_comes_out() -> None:
    raw = b"Subject: =?utf-7?q?+2AA-?= a\x00b\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+2AA-\x00hi"

    parsed = parse(raw)

    assert "\0" not in parsed.subject + (parsed.text or "")
    (parsed.subject + (parsed.text or "")).encode()


CORPUS = [
    _mixed(
        _part("Content-Type: text/plain; charset=utf-8", body="Grüße".encode()),
        _part("Content-Type: message/rfc822", body=INNER),
        _part(
            "Content-Type: application/pdf; name=a.pdf",
            "Content-Transfer-Encoding: base64",
            body=base64.encodebytes(b"x" * 300),
        ),
    ),
    b'From: =?utf-8?b?5L2g5aW9?= <a@b.co>\r\nTo: g: a@b.co, "x, y" <c@d.ee>;\r\n'
    b"Content-Type: text/html; charset=gbk\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>=C4=E3=BA=C3 <b>842911</b></p>",
    b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n" + INNER + b"\r\n--b\r\n\r\n" + INNER + b"--b--",
]


@given(
    raw=st.sampled_from(CORPUS),
    cuts=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 40), st.binary(max_size=8))),
)
def test_any_damage_to_a_structured_mail_is_survived(raw: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    for start, length, put in cuts:
        raw = raw[:start] + put + raw[start + length :]

    parsed = parse(raw)

    assert "structure_unreadable" not in parsed.defects
    for value in (parsed.text, parsed.html, *(each.filename for each in parsed.attachments)):
        assert "\0" not in (value or "")
        (value or "").encode()


@pytest.mark.parametrize(
    "raw",
    [
        MIXED + b"--b\r\nX-A: " + b"=?utf-8?q?abc?= " * 60_000 + b"\r\n\r\nx\r\n--b--",
        b"Content-Type: message/rfc822\r\n\r\n" * 250 + b"\r\n" + b"hello\r\n" * 150_000,
        MIXED + b"--b" * 400_000,
        b"Content-Type: text/plain;" + b' a="' * 20_000 + b"\r\n\r\nx",
        b"Content-Type: text/html\r\n\r\n" + b"<meta " * 200_000 + b"\xff",
        b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"> a \r\n" * 100_000,
        b"To: " + b"a:" * 50_000 + b"\r\nFrom: " + b"a." * 20_000 + b"@b.co\r\n\r\n",
    ],
    ids=["words", "messages", "boundaries", "parameters", "meta", "flowed", "groups"],
)
def test_what_would_cost_others_the_square_comes_to_an_end(raw: bytes) -> None:
    parse(raw)
