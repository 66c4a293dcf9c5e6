"""Which link of a mail is the one to follow. (Subject, text, HTML, kind and URL.)"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaisoumail.model.code import Link
from kaisoumail.parsing.codes.links import find_link

SECRET = "9f8e7d6c5b4a39281706"


def _anchor(url: str, words: str) -> str:
    return f'<p><a class="button" href="{url}"><span>{words}</span></a></p>'


FOUND = [
    (
        "Verify your email",
        _anchor(f"https://shop.example/verify?token={SECRET}&amp;lang=en", "Verify email"),
        "confirm",
    ),
    ("Welcome", _anchor(f"https://click.shop.example/ls/click?upn={SECRET}", "Confirm my account"), "confirm"),
    ("Sign in to Shop", _anchor(f"https://shop.example/magic/{SECRET}", "Sign in"), "sign_in"),
    ("Reset your password", _anchor(f"https://shop.example/p/{SECRET}", "Choose a new password"), "reset"),
    ("Bob invited you", _anchor(f"https://shop.example/invite/{SECRET}", "Join the team"), "invite"),
    ("メールアドレスの確認", _anchor(f"https://shop.example/c/{SECRET}", "登録を完了する"), "confirm"),
    ("Сброс пароля", _anchor(f"https://shop.example/c/{SECRET}", "Сбросить пароль"), "reset"),
]
NONE = [
    ("News", _anchor(f"https://shop.example/unsubscribe/confirm/{SECRET}", "Confirm unsubscribe")),
    ("News", _anchor(f"https://click.shop.example/c/{SECRET}", "Read more")),
    ("News", _anchor(f"https://click.shop.example/c/{SECRET}", "Log in")),
    ("Verify your email", _anchor(f"https://facebook.com/verify/{SECRET}", "Verify")),
    ("Verify your email", _anchor(f"https://play.google.com/verify?id={SECRET}", "Verify")),
    ("Verify your email", _anchor("https://shop.example/", "Shop")),
    ("Verify your email", _anchor(f"javascript:verify('{SECRET}')", "Verify email")),
    ("Verify your email", _anchor(f"mailto:verify@shop.example?subject={SECRET}", "Verify email")),
    ("Verify your email", _anchor(f"ftp://shop.example/verify/{SECRET}", "Verify email")),
    ("Verify your email", _anchor(f"https://bank.example@evil.test/verify/{SECRET}", "Verify email")),
    ("Verify your email", _anchor(f"https://[::1/verify/{SECRET}", "Verify email")),
    ("Verify your email", _anchor(f"https://shop.example/verify/{SECRET}&#10;&#0;x", "Verify email")),
    ("Verify your email", _anchor(f"https://аррle.example/verify/{SECRET}", "Verify email")),
    ("Your password was changed", _anchor("https://shop.example/forgot", "Reset password")),
]


@pytest.mark.parametrize(("subject", "html", "kind"), FOUND)
def test_the_link_is_found_and_what_it_does(subject: str, html: str, kind: str) -> None:
    link = find_link(subject, None, html)

    assert link is not None
    assert link.kind == kind


@pytest.mark.parametrize(("subject", "html"), NONE)
def test_other_links_are_left_alone(subject: str, html: str) -> None:
    assert find_link(subject, None, html) is None


def test_a_link_says_where_it_leads_and_in_which_words() -> None:
    link = find_link(FOUND[0][0], None, FOUND[0][1])

    url = f"https://shop.example/verify?token={SECRET}&lang=en"
    assert link == Link(url, "shop.example", "Verify email", "confirm")


def test_a_link_in_plain_text_is_told_by_the_words_before_it() -> None:
    text = f"Welcome!\n\nTo activate your account, open\nhttps://forum.example/x/{SECRET}.\n\nRules: https://forum.example/faq"

    link = find_link("Welcome", text, None)

    assert link is not None
    assert (link.url, link.kind) == (f"https://forum.example/x/{SECRET}", "confirm")


@given(st.text(max_size=500), st.text(max_size=2000), st.text(max_size=2000))
def test_any_text_has_a_link_or_none(subject: str, text: str, html: str) -> None:
    link = find_link(subject, text, html)

    assert link is None or link.url.lower().startswith(("http://", "https://"))


_PIECES = [
    "https://",
    "http://[",
    "x.example",
    "/verify/",
    SECRET,
    "<a href=",
    '"',
    "'",
    ">",
    "Verify email",
    "</a>",
    "@",
    "&amp;",
    " ",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join))
def test_a_link_that_is_found_stands_in_the_mail(mail: str) -> None:
    link = find_link("Verify your email", mail, mail)

    assert link is None or (link.host in link.url.lower() and link.host in mail.lower())
