"""Keys and cookies."""

from kaisoumail.auth import api_keys, sessions


def test_a_key_is_recognised_by_its_first_twelve_characters() -> None:
    secret = api_keys.new_secret()

    assert len(secret) == 36
    assert secret.startswith("cfm_")
    assert api_keys.prefix_of(secret) == secret[:12]


def test_no_two_secrets_are_alike_and_none_is_kept() -> None:
    one, other = api_keys.new_secret(), api_keys.new_secret()

    assert api_keys.hash_of(one) != api_keys.hash_of(other)
    assert one not in api_keys.hash_of(one)


def test_another_session_secret_ends_every_session() -> None:
    token = sessions.new_token()

    assert sessions.hash_of(token, "secret one") != sessions.hash_of(token, "secret two")


def test_the_cookie_is_out_of_scripts_reach() -> None:
    assert sessions.cookie_header("abc", 604800, secure=False) == (
        "kaisoumail_session=abc; HttpOnly; Path=/; SameSite=Lax; Max-Age=604800"
    )
    assert sessions.cookie_header("abc", 604800, secure=True).endswith("; Secure")
