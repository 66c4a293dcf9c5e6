"""What stands around a number decides; each case as text and as HTML. (Subject, body, code.)"""

import time
from html import escape

import pytest

from kaisoumail.parsing.codes.find import find_code

CASES = [
    # the subject asks for proof, and one number has a line to itself
    ("Verify your email", "123456", "123456"),
    ("Verify your email", "Hi Bob,\n\n123 456\n\nThanks", "123456"),
    ("Order confirmation", "123456", None),
    ("Verify your email", "Order number\n123456", None),
    ("Verify your email", "123456\n654321", None),
    # other kinds of numbers, also those that are called codes
    ("Verify your email", "Your zip code is 94107", None),
    ("Security alert", "error code 500123", None),
    ("Sign-in", "Order code: 123456", None),
    ("Confirm", "Your tracking code is 12345678", None),
    ("Your discount", "promo code 123456", None),
    ("Sale", "Your code: SUMMER24 for 20% off", None),
    ("JIRA-1234 security code review", "", None),
    ("Your verification code", "Install Office365 or Web3App today", None),
    ("Log in", "Please sign in. Support: (555) 123-4567", None),
    ("Login", "Login at 10:30 from 192.168.10.1234 in 2024", None),
    ("OTP", "Your OTP for INR 2500 will come by text", None),
    ("通知", "您尾号1234的账户登录验证", None),
    ("验证码", "【公司】842911（登录验证码），尾号1234，请勿告知他人", "842911"),
    ("Login", "Your login code is 123456. Call 800-555-1234 or see ticket 99887766.", "123456"),
    # forms
    ("FB-12345 is your Facebook confirmation code", "", "12345"),
    ("Hi", "Your Microsoft verification code: AB12-CD34", "AB12CD34"),
    ("Notion", "Your login code: 7KM-4XQ", "7KM4XQ"),
    ("Your Acme code", "Your Acme code is 55 12 90", "551290"),
    ("Discord", "Your code\n\n1234-5678", "12345678"),
    ("Login", "验证码:123456,5分钟内有效", "123456"),
    ("Login", "Your codes: 551177,662288", None),
    ("Sign in", "客服邮箱a@b.co验证码842911", "842911"),
    ("GitHub", "Verification code: 842911\n\nhttps://github.com/x/123456", "842911"),
    ("Login", "Your verification code\nis 123456.", "123456"),
    ("Bank", "Your access code for order 20481177 is 482913", "482913"),
    ("Verification code", "Use the verification code sent to 5550142", None),
    ("Two-factor", "Your recovery codes: 48291377 77120481 90128344", None),
    ("Acme", "Your Acme code: 482-913\nDon't share it\n4sgLq1p5sV6", "482913"),
]


@pytest.mark.parametrize(("subject", "body", "code"), CASES)
@pytest.mark.parametrize("is_html", [False, True], ids=["text", "html"])
def test_the_surroundings_decide(subject: str, body: str, code: str | None, is_html: bool) -> None:
    paragraphs = escape(body).replace("\n", "</p><p>")
    html = f"<p>{paragraphs}</p>" if is_html else None

    found = find_code(subject, None if is_html else body, html)

    assert (found.code if found else None) == code


def test_the_evidence_points_at_the_code_as_it_was_written() -> None:
    found = find_code(None, "Please enter: your login code is 123-456, thank you", None)

    assert found is not None
    assert (found.code, found.method) == ("123456", "rules")
    assert found.evidence[slice(*found.span)] == "123-456"


def test_the_html_is_not_read_when_the_text_has_the_code() -> None:
    found = find_code("Hello", "Your login code is 123456", "<p>Your login code is 654321</p>")

    assert found is not None
    assert found.code == "123456"


@pytest.mark.parametrize("filler", range(40, 111))
@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        ("Your discount code is 482913.", None),
        ("Your booking code is 482913.", None),
        ("Your passcode is 482913.", "482913"),
        ("Ihr Bestätigungscode ist 482913.", "482913"),
    ],
)
def test_an_earlier_number_never_cuts_a_word_in_two(filler: int, sentence: str, code: str | None) -> None:
    found = find_code("Hello", f"Room 4821 {'x' * filler} {sentence}", None)

    assert (found.code if found else None) == code


@pytest.mark.parametrize(
    "piece",
    [f"{'-' * 996}x\n", f"{'-' * 400}x", "<a@", "(a@b ", "_" * 500, "--- ", "<a@b.test> x:\n"],
    ids=["lines", "dashes", "from", "brackets", "rule", "short", "nearly"],
)
def test_looking_for_quoted_mails_does_not_run_away(piece: str) -> None:
    began = time.process_time()

    find_code("Your code", piece * (64 * 1024 // len(piece)) + "\nYour code is 482913", None)
    find_code("Your code", "Your code is 482913\n" + piece * (64 * 1024 // len(piece)), None)

    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "head",
    [
        "-----Original Message-----",
        "--- Forwarded message ---",
        "__________",
        "On Monday Ada <ada@a.test> wrote:",
        "Am Montag schrieb Ada Lovelace <ada@a.test>:",
        "Ada (ada@a.test) 写道：",
    ],
)
def test_a_code_quoted_from_an_older_mail_counts_less_than_the_new_one(head: str) -> None:
    found = find_code("Hello", f"Your code is 482913\n\n{head}\nYour code is 551177\n", None)

    assert found is not None
    assert found.code == "482913"
