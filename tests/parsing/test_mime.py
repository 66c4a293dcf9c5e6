"""Any mail is read as far as it can be, and never breaks what shows it."""

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaisoumail.model.address import is_email
from kaisoumail.parsing.mime import parse
from kaisoumail.parsing.preview import preview_of
from tests.builders import an_email


def _mail(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


def test_the_facts_of_an_ordinary_mail() -> None:
    parsed = parse(an_email(to="Ada <ada@mail.demo.example>, bob@x.example", html="<p>Hi <b>Ada</b></p>"))

    assert parsed.status == "parsed"
    assert parsed.subject == "Your verification code is 842911"
    assert (parsed.from_name, parsed.from_address) == ("Shop", "no-reply@shop.example")
    assert parsed.date == datetime(2026, 4, 3, 11, 59, 58, tzinfo=UTC)
    assert parsed.text == "Welcome. Enter it within ten minutes.\n"
    assert parsed.html == "<p>Hi <b>Ada</b></p>\r\n" or parsed.html == "<p>Hi <b>Ada</b></p>\n"
    assert [(each.kind, each.name, each.address) for each in parsed.recipients] == [
        ("to", "Ada", "ada@mail.demo.example"),
        ("to", None, "bob@x.example"),
    ]
    assert parsed.attachments == ()


def test_headers_keep_their_order_their_doubles_and_their_bytes() -> None:
    parsed = parse(_mail("Received: one", "X-Tag: =?utf-8?q?f=C3=BC?=", "RECEIVED: two", "", "hi"))

    assert [(header.key, header.value) for header in parsed.headers] == [
        ("received", "one"),
        ("x-tag", "=?utf-8?q?f=C3=BC?="),
        ("received", "two"),
    ]


def test_attachments_have_their_real_sizes_and_names() -> None:
    mail = EmailMessage()
    mail["Subject"] = "Files"
    mail.set_content("See attached.")
    mail.add_attachment(b"\x00" * 1000, maintype="application", subtype="pdf", filename="rechnung-ü.pdf")
    mail.add_attachment(b"png", maintype="image", subtype="png", disposition="inline", cid="<logo@x>")

    pdf, png = parse(mail.as_bytes(policy=SMTP)).attachments

    assert (pdf.filename, pdf.content_type, pdf.size_bytes, pdf.disposition) == (
        "rechnung-ü.pdf",
        "application/pdf",
        1000,
        "attachment",
    )
    assert (png.filename, png.size_bytes, png.content_id, png.disposition) == (None, 3, "<logo@x>", "inline")


@pytest.mark.parametrize(
    "sender", ["root@localhost", "MAILER-DAEMON", "x=y@b.co", "ü@b.co", '"a b"@b.co', "a@[1.2.3.4]", "<>", ""]
)
def test_a_sender_that_clients_would_refuse_is_left_out(sender: str) -> None:
    parsed = parse(_mail(f"From: {sender}", f"To: {sender}, ada@x.example", "", "hi"))

    assert parsed.from_address is None
    assert [each.address for each in parsed.recipients] == ["ada@x.example"]


def test_a_sender_without_a_name_has_none() -> None:
    assert parse(_mail("From: ada@x.example", "", "hi")).from_name is None


def test_the_members_of_a_group_are_recipients() -> None:
    parsed = parse(_mail("To: Friends: ada@x.example, Bob <bob@x.example>;", "", "hi"))

    assert [each.address for each in parsed.recipients] == ["ada@x.example", "bob@x.example"]


@pytest.mark.parametrize(
    "date", ["yesterday", "", "Fri, 32 Apr 2026 11:59:58 +0000", "Fri, 03 Apr 99999 11:59:58 +0000"]
)
def test_a_date_that_is_none_is_none(date: str) -> None:
    assert parse(_mail(f"Date: {date}", "", "hi")).date is None


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"\r\n\r\nhello", b"Subject:\r\n\r\nhello", b"Subject:   \r\n\r\n"])
def test_a_mail_without_a_subject_says_so(raw: bytes) -> None:
    assert parse(raw).subject == "(no subject)"


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("gbk", "您的验证码"),
        ("utf-8", "naïve"),
        ("iso-8859-1", "naïve"),
        ("shift_jis", "認証コード"),
        ("koi8-r", "код"),
    ],
)
def test_text_is_decoded_from_its_charset(charset: str, text: str) -> None:
    head = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"

    assert parse(head.encode() + text.encode(charset)).text == text


def test_a_subject_split_inside_a_character_is_joined() -> None:
    halves = "验证码".encode()
    import base64

    one, two = (base64.b64encode(half).decode() for half in (halves[:4], halves[4:]))

    assert parse(_mail(f"Subject: =?utf-8?b?{one}?= =?utf-8?b?{two}?=", "", "hi")).subject == "验证码"


def test_a_multipart_whose_boundary_is_missing_is_shown_all_the_same() -> None:
    parsed = parse(_mail("Content-Type: multipart/mixed", "", "hello", "there"))

    assert parsed.text is not None
    assert "hello" in parsed.text


def test_a_message_in_a_message_is_shown_with_who_sent_it() -> None:
    inner = "Subject: Inner\r\nFrom: bob@x.example\r\n\r\nThe inner text"
    parsed = parse(_mail("Content-Type: message/rfc822", "", inner))

    assert parsed.text is not None
    assert "Subject: Inner" in parsed.text
    assert "The inner text" in parsed.text


def test_flowed_text_is_put_together_again() -> None:
    parsed = parse(_mail("Content-Type: text/plain; format=flowed", "", "one ", "two", "-- ", "Ada"))

    assert parsed.text == "one two\n-- \nAda"


HOSTILE = {
    "many headers": b"X-A: b\r\n" * 10_000 + b"\r\nhello",
    "deep nesting": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1000)
    ),
    "many parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 20_000,
    "encoded words": b"Subject: " + b"=?utf-8?b?" * 10_000 + b"\r\n\r\nhello",
    "one long line": b"Subject: x\r\n\r\n" + b"<" * 1_000_000,
    "nulls": b"Subject: a\x00b\r\nFrom: \x00@\xff\r\n\r\n\x00\xff" * 50,
    "commas": b"To: " + b"," * 100_000 + b"\r\n\r\nhello",
    "quotes": b"To: " + b'"\\' * 50_000 + b"\r\n\r\nhello",
    "parentheses": b"To: " + b"(" * 100_000 + b"\r\n\r\nhello",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_comes_to_an_end(name: str) -> None:
    parsed = parse(HOSTILE[name])

    assert "\0" not in parsed.subject + (parsed.text or "")
    assert len(parsed.recipients) <= 1000


@given(st.binary(max_size=3000))
def test_any_bytes_are_read(raw: bytes) -> None:
    parsed = parse(raw)

    assert parsed.subject
    assert parsed.from_address is None or is_email(parsed.from_address)


@given(st.data())
def test_any_damage_to_a_real_mail_is_survived(data: st.DataObject) -> None:
    raw = bytearray(an_email(html="<p>Hello <b>Ada</b></p>"))
    for _ in range(data.draw(st.integers(1, 20))):
        position = data.draw(st.integers(0, len(raw) - 1))
        raw[position : position + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=5))

    parsed = parse(bytes(raw))

    assert all(is_email(each.address) for each in parsed.recipients)
    "".join([parsed.subject, parsed.text or "", parsed.html or ""]).encode()


@pytest.mark.parametrize(
    ("text", "html", "preview"),
    [
        ("  Hello\n\n there ", None, "Hello there"),
        (None, "<style>p{}</style><p>Tom &amp; <b>Jerry</b></p><script>x()</script>", "Tom & Jerry"),
        (" \n ", "<p>from HTML</p>", "from HTML"),
        ("", "", "(no preview)"),
        (None, None, "(no preview)"),
        ("x" * 200, None, "x" * 140),
        (" " * 10_000 + "late", None, "late"),
    ],
)
def test_the_preview_is_what_a_reader_sees_first(text: str | None, html: str | None, preview: str) -> None:
    assert preview_of(text, html) == preview


@given(st.text(max_size=500), st.text(max_size=500))
def test_a_preview_is_one_short_line(text: str, html: str) -> None:
    preview = preview_of(text, html)

    assert 0 < len(preview) <= 140
    assert "\n" not in preview
