"""Which codes are found, which numbers are left alone. (Subject, text, HTML, code.)"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaisoumail.parsing.codes.find import MAX_EVIDENCE, MAX_WORD, decide, find_code

FOUND = [
    ("Your verification code is 842911", "Fallback body code 551177", "", "842911"),
    ("Build 551177 ready", "Use verification code 551177 to unlock the preview URL.", "", "551177"),
    ("Build artifacts ready", "hello there", "<p>Your verification code <strong>662288</strong></p>", "662288"),
    ("Your verification code is ab12Cd", "", "", "ab12Cd"),
    ("您的验证码 842911", "", "", "842911"),
    ("验证码：123456，5分钟内有效", "", "", "123456"),
    ("通知", "您的登录验证码为：8829，请勿泄露", "", "8829"),
    ("驗證碼", "您的驗證碼是 123456", "", "123456"),
    ("842911 is your Google verification code", "", "", "842911"),
    ("G-842911 is your Google verification code", "", "", "842911"),
    ("Your OTP: 4821", "", "", "4821"),
    ("Verification code 2024", "", "", "2024"),
    ("Your one-time password is 123456", "", "", "123456"),
    ("Hello", "Your sign-in code: 123456", "", "123456"),
    ("Hello", "Enter 123456 to confirm your email", "", "123456"),
    ("Your code is 842911", "", "", "842911"),
    ("Hello", "Your code is 842911", "", "842911"),
    ("Your PIN is 4821", "", "", "4821"),
    ("Hello", "Your code 493021 expires in 5 minutes", "", "493021"),
    ("Login code: 123 456", "", "", "123456"),
    ("Login code: 123-456", "", "", "123456"),
    ("Hello", "", "<p>Your login code</p><p>4 8 2 9 1 3</p>", "482913"),
    ("Your verification code is 123456. Ref 654321", "", "", "123456"),
    ("Sign in to X", "Enter this code: 123456", "", "123456"),
    ("Your code is １２３４５６", "", "", "123456"),
    ("Hello", "", "<td>Verification code</td><td style='color:#123456'>482913</td>", "482913"),
]
BOOKED = [  # mails about bookings, parcels and payments: with a code that proves somebody, and with none
    ("Your Airstay code", "Use code 482913 to finish logging in. Plan your trip and check in online.", "482913"),
    (
        "Confirm your payment of 49.90",
        "Enter this code in the window: 482913\nCard payment to ACME, receipt follows.",
        "482913",
    ),
    ("Paketshop Anmeldung", "Dein Code zum Anmelden: 482913. Verfolge dein Paket und deine Sendung.", "482913"),
    ("Your reservation account", "Your PIN to sign in is 482913", "482913"),
    ("Payment of 20.00 to ACME", "Your one-time password for it is 482913. A receipt follows.", "482913"),
    ("Your trip confirmation", "Your confirmation code is Q7LMZ4. Flight MA 1482, seat 17C.", None),
    ("Your parcel is here", "PIN: 482913. Show it at the pickup point with an identity card.", None),
    ("Receipt", "Authorization code: 730914\nTerminal 04418207", None),
]
_PIECES = [
    *(
        "Your verification code is ",
        "code: ",
        "验证码",
        "कोड ",
        "رمز التحقق ",
        "รหัสยืนยัน",
        "İ",
        "e\u200b\u0301",
        "ß",
        "\n",
        " ",
    ),
    *(
        "482913",
        "٤٨٢٩١٣",
        "４８２９１３",
        "४८२९१३",
        "1 2 3 4 7 6",
        "12-34-56",
        "A1B2C3",
        "7KM-4XQ",
        "G-330918",
        "2024",
        "9",
    ),
    *(
        "<b>",
        "</b>",
        "<td>",
        '<p style="display:none">',
        "</p>",
        "&#52;",
        "<",
        "https://x.test/",
        "@",
        "order ",
        "> ",
        "minutes",
    ),
]
NONE = [
    ("Your verification code is AB1234567", "", ""),
    ("Code review for build 123456", "", ""),
    ("Verification request", "Your verification codes are 551177 and 662288. Use the latest one.", ""),
    ("Verification request", "Your verification codes are ab12Cd and z9y8x7. Use the latest one.", ""),
    ("Spec review notes", "Action items: 2024 goals, 12345678 tickets", ""),
    ("Weekend sale", "Use code 123456 to save 20 % today", ""),
    ("Order 123456 security notice", "", ""),
    ("Hello", "verification code: https://x.test/123456", ""),
    ("Call us", "Call +1 555 123 4567 about your security", ""),
    ("Your receipt", "Total $1234.50, order 998877, confirmed on 2024-05-06", ""),
    ("Hello", "Your verification code is expired. Request 123456", ""),
    ("", "", ""),
]


@pytest.mark.parametrize(("subject", "text", "html", "code"), FOUND)
def test_the_code_is_found(subject: str, text: str, html: str, code: str) -> None:
    found = find_code(subject, text, html)

    assert found is not None
    assert found.code == code


@pytest.mark.parametrize(("subject", "text", "code"), BOOKED)
def test_where_something_is_booked_or_paid_only_a_code_that_proves_somebody_counts(
    subject: str, text: str, code: str | None
) -> None:
    found = find_code(subject, text, None)

    assert (found.code if found else None) == code


@pytest.mark.parametrize(("subject", "text", "html"), NONE)
def test_what_is_no_code_is_left_alone(subject: str, text: str, html: str) -> None:
    assert find_code(subject, text, html) is None


def test_the_subject_wins_and_says_so() -> None:
    found = find_code("Your verification code is 842911", "Your verification code is 551177", "")

    assert found is not None
    assert (found.code, found.source) == ("842911", "subject")


def test_the_evidence_comes_with_the_code() -> None:
    found = find_code("Hello", "Please enter it: your verification code is 842911, thank you", "")

    assert found is not None
    assert found.evidence == "Please enter it: your verification code is 842911, thank you"
    assert found.evidence[slice(*found.span)] == "842911"
    assert found.word == "verification code"
    assert "the word leads to it" in found.rules
    assert 0.6 <= found.confidence <= 1


def test_what_is_kept_of_a_code_has_an_end() -> None:
    found = find_code("Hello", f"{'x' * 200} your login code{'s' * 30} {' ' * 200}is 4 8 2 9 1 3 7 6 {'y' * 200}", None)
    longest = find_code("Hello", f"Your verification code{'s' * 100} 482913", None)

    assert found is not None
    assert len(found.evidence) <= MAX_EVIDENCE
    assert longest is not None
    assert len(longest.word) == MAX_WORD


def test_every_candidate_says_why_it_lost() -> None:
    decision = decide("Your order 20481177", "Order 20481177. Your login code is 842911, not 2024.", None)

    lost = {each.scored.candidate.code: each.lost for each in decision.examined}
    assert decision.found is not None
    assert lost == {"20481177": "too little speaks for it", "842911": "", "2024": "too little speaks for it"}
    assert "842911      200  the code" in str(decision)


def test_two_that_are_close_say_so() -> None:
    decision = decide("Hello", "Your login code is 842911. Your access code is 551177.", None)

    assert decision.found is None
    assert [each.lost for each in decision.examined] == ["another does nearly as well"] * 2


def test_a_certain_code_is_more_certain_than_a_likely_one() -> None:
    certain = find_code("Your verification code is 842911", None, None)
    likely = find_code("Hello", "Your code is 842911", None)

    assert certain is not None
    assert likely is not None
    assert certain.confidence > likely.confidence


def test_a_hidden_preheader_decides_between_two_but_is_never_the_code() -> None:
    shown = "<p>Your login code is 551177.</p><p>Your login code is 842911.</p>"
    hidden = '<div style="display:none">Use 842911</div>'

    confirmed = find_code("Hello", None, hidden + shown)
    alone = find_code("Hello", None, '<div style="display:none">Your login code is 842911</div><p>Hello</p>')

    assert confirmed is not None
    assert confirmed.code == "842911"
    assert alone is None


@given(st.text(max_size=500), st.text(max_size=2000), st.text(max_size=2000))
def test_any_text_has_a_code_or_none(subject: str, text: str, html: str) -> None:
    found = find_code(subject, text, html)

    assert found is None or 4 <= len(found.code) <= 8


@given(mail=st.lists(st.sampled_from(_PIECES), max_size=30).map("".join), html=st.booleans())
def test_a_code_stands_in_its_evidence_where_the_span_says(mail: str, html: bool) -> None:
    found = find_code(mail[:60], None if html else mail, mail if html else None)

    if found is not None:
        shown = found.evidence[slice(*found.span)]
        assert found.code == "".join(letter for letter in shown if letter.isalnum())
        assert 4 <= len(found.code) <= 8
        assert len(found.evidence) <= MAX_EVIDENCE


@given(st.text(alphabet="0123456789 -:.,/@#abC验证码codeis", max_size=400))
def test_text_like_codes_has_a_code_that_stands_in_it_or_none(text: str) -> None:
    found = find_code("", text, "")

    assert found is None or found.code in text.replace(" ", "").replace("-", "")


@pytest.mark.parametrize(
    "html", ["<" * 200_000, "<p>" * 100_000, "&#49;" * 50_000, "1 " * 100_000, "code is " * 30_000]
)
def test_hostile_html_comes_to_an_end(html: str) -> None:
    assert find_code("Your verification code", html, html) is None
