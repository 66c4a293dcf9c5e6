"""The environment: every fault named at once, blank means unset."""

import re
from dataclasses import fields

import pytest

from kaisoumail.settings import BadEnvironment, settings_from
from kaisoumail.settings.environment import misspellings, renamed
from kaisoumail.settings.settings import DECLARATIONS, GROUPS, Declaration
from kaisoumail.settings.variable import FormerName

ENOUGH = {"SESSION_SECRET": "sixteen characters"}


def test_a_session_secret_is_all_that_is_required() -> None:
    settings = settings_from(ENOUGH)

    assert settings.http.port == 8787
    assert not settings.cloudflare.management_enabled
    assert settings.cloudflare.api_token is None


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(BadEnvironment) as caught:
        settings_from({"PORT": "many", "EMAIL_ROUTING_MANAGEMENT_ENABLED": "yes", "INBOUND_SECRET": "short"})

    assert len(caught.value.faults) == 4
    for name in ("PORT", "EMAIL_ROUTING_MANAGEMENT_ENABLED", "INBOUND_SECRET", "SESSION_SECRET"):
        assert any(fault.startswith(name) for fault in caught.value.faults)


def test_a_fault_never_repeats_a_secret() -> None:
    with pytest.raises(BadEnvironment) as caught:
        settings_from({"SESSION_SECRET": "hunter2", "CLOUDFLARE_API_TOKEN": "tok en\nwith a break"})

    assert "hunter2" not in str(caught.value)
    assert "with a break" not in str(caught.value)


@pytest.mark.parametrize("blank", ["", " ", "\t", "\n"])
def test_a_blank_value_means_unset(blank: str) -> None:
    names = [each.variable.name for each in DECLARATIONS]

    settings = settings_from(dict.fromkeys(names, blank) | ENOUGH)

    assert settings == settings_from(ENOUGH)


def test_a_blank_runtime_token_does_not_hide_the_shared_one() -> None:
    settings = settings_from(ENOUGH | {"CLOUDFLARE_RUNTIME_API_TOKEN": "", "CLOUDFLARE_API_TOKEN": "shared"})

    assert settings.cloudflare.api_token == "shared"


def test_the_runtime_token_wins() -> None:
    settings = settings_from(ENOUGH | {"CLOUDFLARE_RUNTIME_API_TOKEN": "runtime", "CLOUDFLARE_API_TOKEN": "shared"})

    assert settings.cloudflare.api_token == "runtime"


@pytest.mark.parametrize("token", ["two\nlines", "ends in a break\n", "a b", "tökén"])
def test_a_token_that_could_not_be_sent_is_refused(token: str) -> None:
    with pytest.raises(BadEnvironment, match="CLOUDFLARE_API_TOKEN"):
        settings_from(ENOUGH | {"CLOUDFLARE_API_TOKEN": token})


@pytest.mark.parametrize("origin", ["localhost:4173", "null", "ftp://x.example", "https://", "https://x:notaport"])
def test_an_origin_without_a_web_scheme_is_refused(origin: str) -> None:
    with pytest.raises(BadEnvironment, match="WEB_APP_ORIGIN"):
        settings_from(ENOUGH | {"WEB_APP_ORIGIN": origin})


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("1.1.1.1:53", ("1.1.1.1", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("9.9.9.9", ("9.9.9.9", 53)),
        ("[::1]:5353", ("::1", 5353)),
        ("", None),
    ],
)
def test_a_resolver_is_an_address_and_a_port(value: str, address: tuple[str, int] | None) -> None:
    assert settings_from(ENOUGH | {"PUBLIC_DNS_RESOLVER": value}).outbound.dns_resolver == address


@pytest.mark.parametrize(
    "value", ["dns.example:53", "1.1.1.1:0", "1.1.1.1:99999", "1.1.1.1:x", "::1", "1.1.1.1/24", "@"]
)
def test_a_resolver_that_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(BadEnvironment, match="PUBLIC_DNS_RESOLVER must be an IP address"):
        settings_from(ENOUGH | {"PUBLIC_DNS_RESOLVER": value})


def test_a_second_opinion_needs_an_account_and_a_token() -> None:
    asked = ENOUGH | {"WORKERS_AI_ENABLED": "true"}
    with pytest.raises(BadEnvironment, match="WORKERS_AI_ENABLED needs CLOUDFLARE_ACCOUNT_ID and an API token"):
        settings_from(asked | {"CLOUDFLARE_API_TOKEN": "t"})

    assert settings_from(
        asked | {"CLOUDFLARE_API_TOKEN": "t", "CLOUDFLARE_ACCOUNT_ID": "a"}
    ).cloudflare.workers_ai_enabled
    assert not settings_from(ENOUGH).cloudflare.workers_ai_enabled


def test_origins_are_gathered_without_doubles() -> None:
    given = {"WEB_APP_ORIGIN": "https://a.example", "WEB_APP_ORIGINS": "https://b.example:8443, https://a.example/"}

    assert settings_from(ENOUGH | given).http.trusted_origins == ("https://a.example", "https://b.example:8443")


@pytest.mark.parametrize(
    "origin",
    [
        "https://a.example/x",
        "https://a.example?x",
        "https://a.example/#x",
        "https://ada@a.example",
        "https://*.example",
    ],
)
def test_more_than_an_origin_is_refused_and_the_variable_named(origin: str) -> None:
    with pytest.raises(BadEnvironment, match="WEB_APP_ORIGINS must be a scheme and a host alone"):
        settings_from(ENOUGH | {"WEB_APP_ORIGINS": f"https://b.example, {origin}"})


@pytest.mark.parametrize("value", ["10.0.0.0/33", "proxy.example", "10.0.0.1/8", "*"])
def test_a_proxy_that_is_no_address_or_network_is_refused(value: str) -> None:
    with pytest.raises(BadEnvironment, match="TRUSTED_PROXIES"):
        settings_from(ENOUGH | {"TRUSTED_PROXIES": value})


@pytest.mark.parametrize(
    ("environment", "secure"),
    [
        ({}, False),
        ({"HOST": "::1"}, False),
        ({"HOST": "0.0.0.0"}, True),
        ({"HOST": "192.0.2.7"}, True),
        ({"APP_ENV": "production"}, True),
        ({"APP_ENV": "Production", "HOST": "::"}, True),
    ],
)
def test_s9_cookies_are_secure_wherever_the_network_can_reach_us(environment: dict[str, str], secure: bool) -> None:
    settings = settings_from(ENOUGH | environment).http

    assert (settings.cookies_are_secure, settings.trusts_loopback) == (secure, not secure)


@pytest.mark.parametrize("value", ["59", "525601", "60.5", "1e3", "-60", "６０"])
def test_a_number_out_of_range_is_refused(value: str) -> None:
    with pytest.raises(BadEnvironment, match="60 to 525600"):
        settings_from(ENOUGH | {"DEFAULT_MAILBOX_TTL_MINUTES": value})


def test_no_group_has_more_than_eight_fields() -> None:
    sizes = {group.__name__: len(fields(group)) for group in GROUPS.values()}

    assert {name for name, size in sizes.items() if size > 8} == set()


@pytest.mark.parametrize(
    ("value", "origin"),
    [
        ("https://Mail.Example:443/", "https://mail.example"),
        ("http://mail.example:80", "http://mail.example"),
        ("https://mail.example:80", "https://mail.example:80"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
        ("http://[::1]:8787", "http://[::1]:8787"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(value: str, origin: str) -> None:
    assert settings_from(ENOUGH | {"WEB_APP_ORIGIN": value}).http.trusted_origins == (origin,)


@pytest.mark.parametrize(("former", "present"), [(f, d) for d in DECLARATIONS for f in d.variable.former_names])
def test_a_former_name_is_read_as_the_present_one(former: FormerName, present: Declaration) -> None:
    one = "true" if present.default is True else "7"
    sevens = {"millions of bytes": 7_000_000, "": True if one == "true" else 7}

    settings = settings_from(ENOUGH | {former.name: one})

    assert getattr(getattr(settings, present.group), present.field) == sevens[former.unit]
    assert renamed({former.name: one}) == [(former.name, present.variable.name)]


def test_without_a_former_name_nothing_is_renamed() -> None:
    assert renamed({each.variable.name: "1" for each in DECLARATIONS} | {"AUDIT_KEPT_DAYS": " "}) == []


def test_both_names_may_be_set_to_the_same_value() -> None:
    both = {"QUOTA_STORED_MEGABYTES_PER_USER": "5", "QUOTA_STORED_PER_USER_BYTES": "5000000"}

    assert settings_from(ENOUGH | both).mailboxes.stored_bytes_per_user == 5_000_000


def test_both_names_with_different_values_are_refused_and_neither_wins() -> None:
    with pytest.raises(BadEnvironment) as caught:
        settings_from(ENOUGH | {"AUDIT_KEPT_DAYS": "30", "AUDIT_RETENTION_DAYS": "40", "PORT": "many"})

    assert caught.value.faults == [
        "PORT must be a whole number from 0 to 65535",
        "AUDIT_KEPT_DAYS is now called AUDIT_RETENTION_DAYS, and both are set, to different values",
    ]


def test_a_fault_names_the_former_name_that_was_set() -> None:
    with pytest.raises(BadEnvironment, match="AUDIT_KEPT_DAYS must be a whole number from 1 to 3650"):
        settings_from(ENOUGH | {"AUDIT_KEPT_DAYS": "long"})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SESION_SECRET", "SESSION_SECRET"),
        ("SESSION_SECRET_RETIRED", "SESSION_SECRETS_RETIRED"),
        ("RATE_LIMIT_PER_USER_MINUTES", "RATE_LIMIT_PER_USER_MINUTE"),
        ("EMAIL_ROUTING_MANAGMENT_ENABLED", "EMAIL_ROUTING_MANAGEMENT_ENABLED"),
        ("AUDIT_KEEPT_DAYS", "AUDIT_KEPT_DAYS"),
    ],
)
def test_a_name_that_differs_by_a_letter_is_a_misspelling(name: str, meant: str) -> None:
    assert misspellings({name: "1"}) == [(name, meant)]
    assert misspellings({name: "1", meant: "1"}) == []


def test_names_of_other_programs_are_no_misspellings() -> None:
    of_others = (
        "HOSTNAME TERM XDG_DATA_DIRS SSH_CLIENT HTTP_PROXY HTTPS_PROXY SMTP_USER SMTP_PORT_25_TCP SMTP_SERVICE_PORT "
        "CLOUDFLARE_API_KEY CLOUDFLARE_TOKEN CLOUDFLARE_DEPLOY_API_TOKEN CLOUDFLARE_ACCOUNT_EMAIL CLOUDFLARE_BASE_URL "
        "DATABASE_URI DATABASE_PUBLIC_URL SESSION_SECRET_KEY SESSION_MANAGER WEB_CONCURRENCY BOOTSTRAP_ADMIN_PASSWORD "
        "INVOCATION_ID JOURNAL_STREAM KUBERNETES_SERVICE_HOST POSTGRES_PASSWORD PYTHONPATH"
    ).split()

    assert misspellings(dict.fromkeys(of_others, "1")) == []
    assert misspellings({each.variable.name: "1" for each in DECLARATIONS}) == []


def test_no_former_name_is_that_of_another_variable() -> None:
    names = [each.variable.name for each in DECLARATIONS]
    former = [each.name for declaration in DECLARATIONS for each in declaration.variable.former_names]

    assert len({*names, *former}) == len(names) + len(former)


def test_a_name_with_a_unit_ends_in_it_and_the_meaning_has_it() -> None:
    units = "SECONDS|MINUTES|HOURS|DAYS|BYTES|KILOBYTES|MEGABYTES"
    for each in (declaration.variable for declaration in DECLARATIONS):
        named = re.findall(rf"(?<![A-Z])(?:{units})(?![A-Z])", each.name)
        meant = re.findall(rf", in ({units.lower()})(?![a-z])", each.meaning)
        assert named == [unit.upper() for unit in meant], each.name
        assert not named or (each.name.endswith(f"_{named[0]}") and named[0] in ("SECONDS", "MINUTES", "DAYS", "BYTES"))
