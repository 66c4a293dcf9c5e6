"""
Attacks over HTTP by their numbers in the list of weaknesses of the system we are compatible with.

S5 floods, S6 what answers let browsers do, S7 odd origins, S8 other sites' pages, S9 cookies in clear,
S16 request ids. Whatever bytes a stranger can send is in `test_odd_requests.py`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kaisoumail.auth.sessions import COOKIE_NAME
from tests.api_client import code_of
from tests.builders import an_email
from tests.handing_over import signed
from tests.servers import ADMIN_KEY, Product, a_world, command

KEY = {"apiKey": ADMIN_KEY}
WRONG = {"apiKey": "cfm_no-such-key-anywhere"}
HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product with tight limits behind a proxy on this machine, which speaks for many."""
    limits = {
        "TRUSTED_PROXIES": "127.0.0.1",
        "RATE_LIMIT_PER_ADDRESS_MINUTE": "40",
        "RATE_LIMIT_SIGN_IN_MINUTE": "5",
        "RATE_LIMIT_PER_CREDENTIAL_MINUTE": "50",
        "WEB_APP_ORIGIN": "https://app.example",
    }
    with a_world(tmp_path_factory.mktemp("world"), **limits) as world, world.product() as running:
        yield running


def _from(address: str, **more: str) -> dict[str, str]:
    return {"x-forwarded-for": address, **more}


def _anonymous(product: Product) -> httpx.Client:
    return httpx.Client(base_url=product.url, timeout=60)


def _signed_in(product: Product, address: str = "198.51.100.200") -> str:
    """A session's cookie."""
    answer = httpx.post(f"{product.url}/api/auth/session", json=KEY, headers=_from(address), timeout=60)
    return f"{COOKIE_NAME}={answer.raise_for_status().cookies[COOKIE_NAME]}"


# S5: floods


@pytest.mark.parametrize(
    ("path", "wrong", "address"),
    [("/api/auth/session", {"json": WRONG}, "203.0.113.1"), ("/login", {"data": {"api_key": "x"}}, "203.0.113.2")],
)
def test_s5_guessing_at_the_sign_in_stops_and_says_until_when(
    behind: Product, path: str, wrong: dict[str, Any], address: str
) -> None:
    with _anonymous(behind) as stranger:
        answers = [stranger.post(path, headers=_from(address), **wrong) for _ in range(8)]
        elsewhere = stranger.post(path, headers=_from("203.0.113.3"), **wrong)

    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 3
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 12
    assert answers[-1].headers["ratelimit-policy"] == '"address";q=40;w=60, "sign-in";q=5;w=60'
    assert '"sign-in";r=0;t=' in answers[-1].headers["ratelimit"]
    assert elsewhere.status_code == 401


def test_s5_a_flood_from_one_address_is_refused_in_the_envelope_and_does_not_touch_another(behind: Product) -> None:
    with _anonymous(behind) as stranger:
        answers = [stranger.get("/api/meta", headers=_from("203.0.113.10")) for _ in range(60)]
        other = stranger.get("/api/meta", headers=_from("203.0.113.11"))

    refused = answers[-1]
    assert refused.status_code == 429
    assert refused.json()["error"] == "Too many requests"
    details = refused.json()["details"]
    assert (details["code"], details["limit"], details["allowed"]) == ("rate_limited", "address", 40)
    assert details["retryAfterSeconds"] == int(refused.headers["retry-after"])
    assert other.headers["ratelimit"].startswith('"address";r=39;t=')


def test_s5_who_looks_at_pages_reads_what_happened(behind: Product) -> None:
    with _anonymous(behind) as stranger:
        for _ in range(45):
            page = stranger.get("/login", headers=_from("203.0.113.20", **HTML))

    assert page.status_code == 429
    assert page.headers["content-type"].startswith("text/html")
    assert "Too many requests" in page.text


def test_s5_guessed_keys_use_an_addresses_requests_up_and_a_working_key_there_goes_on(behind: Product) -> None:
    right = _from("203.0.113.30", authorization=f"Bearer {ADMIN_KEY}")
    with _anonymous(behind) as both:
        before = both.get("/api/mailboxes", headers=right)
        guesses = [
            both.get("/api/mailboxes", headers=_from("203.0.113.30", authorization=f"Bearer cfm_guess-{number:020}"))
            for number in range(10)
        ]
        after = both.get("/api/mailboxes", headers=right)

    assert [answer.status_code for answer in guesses] == [401] * 8 + [429] * 2
    assert (before.status_code, after.status_code) == (200, 200)
    assert after.headers["ratelimit-policy"] == '"credential";q=50;w=60, "user";q=12000;w=60'


def test_s5_without_a_trusted_proxy_nobody_gets_a_fresh_limit_by_saying_they_are_another(tmp_path: Path) -> None:
    with a_world(tmp_path, RATE_LIMIT_SIGN_IN_MINUTE="3") as world, world.product() as product:
        answers = [
            httpx.post(f"{product.url}/api/auth/session", json=WRONG, headers=_from(f"203.0.113.{number}"))
            for number in range(6)
        ]

    assert [answer.status_code for answer in answers] == [401] * 3 + [429] * 3


def test_s5_monitors_and_signed_mail_are_never_held_up(behind: Product) -> None:
    raw = an_email("nobody@mail.customer.com")
    with _anonymous(behind) as client:
        healthy = {client.get("/health", headers=_from("203.0.113.40")).status_code for _ in range(60)}
        mail = {
            client.post("/api/inbound", content=raw, headers=signed("nobody@mail.customer.com", raw)).status_code
            for _ in range(60)
        }

    assert (healthy, mail) == ({200}, {422})


def test_s5_processes_on_one_database_share_the_limit(tmp_path: Path, postgres_url: str) -> None:
    limits = {"DATABASE_URL": postgres_url, "RATE_LIMIT_SIGN_IN_MINUTE": "6", "TRUSTED_PROXIES": "127.0.0.1"}
    with a_world(tmp_path, **limits) as world, world.product() as here, world.product() as there:
        answers = [
            httpx.post(f"{each.url}/api/auth/session", json=WRONG, headers=_from("203.0.113.9")).status_code
            for _ in range(6)
            for each in (here, there)
        ]

    assert answers.count(401) in (6, 7)  # the bucket fills by one in ten seconds
    assert answers[:6] == [401] * 6
    assert answers.count(429) == 12 - answers.count(401)


# S6: what answers let browsers do


@pytest.mark.parametrize(
    "path",
    ["/health", "/api/meta", "/api/mailboxes", "/api/nothing", "/api/messages/msg_0/raw", "/login", "/workspace",
     "/nothing", "/docs", "/docs/faq", "/static/app.js"],
)  # fmt: skip
def test_s6_every_answer_says_what_a_browser_may_do_with_it(product: Product, path: str) -> None:
    answer = product.admin.get(path, headers=HTML)

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "strict-transport-security" not in answer.headers  # this was in clear


@pytest.mark.parametrize("path", ["/api/mailboxes", "/api/messages", "/api/auth/session", "/workspace", "/login"])
def test_s6_nothing_with_mail_or_secrets_is_kept_by_anybody(product: Product, path: str) -> None:
    assert product.admin.get(path).headers["cache-control"] == "no-store"


def test_s6_a_new_session_is_kept_by_nobody(product: Product) -> None:
    assert httpx.post(f"{product.url}/api/auth/session", json=KEY).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/login", "/workspace", "/domains", "/docs", "/docs/quick-start"])
def test_s6_pages_have_no_script_or_style_of_their_own(behind: Product, path: str) -> None:
    page = httpx.get(f"{behind.url}{path}", headers=_from("198.51.100.7", cookie=_signed_in(behind)), timeout=60)

    for script in re.findall(r"<script[^>]*>", page.text):
        assert 'src="/static/' in script
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page.text)


def test_s6_over_tls_the_browser_is_told_to_stay_there(behind: Product) -> None:
    over_tls = _from("198.51.100.8", **{"x-forwarded-proto": "https"})
    for path in ("/api/meta", "/login", "/nothing"):
        told = httpx.get(f"{behind.url}{path}", headers=over_tls).headers["strict-transport-security"]
        assert told == "max-age=31536000"
    assert "strict-transport-security" not in httpx.get(f"{behind.url}/api/meta", headers=_from("198.51.100.8")).headers


# S7: odd origins


@pytest.mark.parametrize("origin", ["localhost:4173", "null", "https://*.example", "https://app.example/path"])
def test_s7_an_odd_trusted_origin_stops_the_start(tmp_path: Path, origin: str) -> None:
    ended = command(
        "serve", SESSION_SECRET="a-session-secret-for-tests", WEB_APP_ORIGIN=origin, PORT="0", DATA_DIR=str(tmp_path)
    )

    assert ended.returncode != 0
    assert "WEB_APP_ORIGIN" in ended.stderr


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", "https://app.example.evil.example", "", "https://APP.example"]
)
def test_s7_nobody_else_may_read_answers_with_their_readers_cookie(behind: Product, origin: str) -> None:
    asked = httpx.get(f"{behind.url}/api/meta", headers=_from("198.51.100.9", origin=origin))
    preflight = httpx.options(f"{behind.url}/api/mailboxes", headers=_from("198.51.100.9", origin=origin))

    assert not [name for name in asked.headers if name.startswith("access-control")]
    assert asked.headers["vary"] == "Origin"
    assert (preflight.status_code, preflight.content) == (403, b"")


@pytest.mark.parametrize(("path", "status"), [("/api/meta", 200), ("/api/mailboxes", 401), ("/api/nothing", 404)])
def test_s7_a_trusted_origin_may_read_every_answer_and_how_it_stands(behind: Product, path: str, status: int) -> None:
    answer = httpx.get(f"{behind.url}{path}", headers=_from("198.51.100.10", origin="https://app.example"))

    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "ratelimit-policy" in answer.headers["access-control-expose-headers"]
    assert answer.headers.get_list("vary") == ["Origin"]


# S8: other sites' pages

CROSS = [
    {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
    {"sec-fetch-site": "same-site", "origin": "https://ada.mail.customer.com"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"sec-fetch-site": "nonsense"},
]
OWN = [
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": "cross-site", "origin": "https://app.example"},
    {},
]
CHANGES = [
    ("POST", "/api/mailboxes"),
    ("POST", "/api/mailboxes/ensure"),
    ("DELETE", "/api/messages/msg_0"),
    ("POST", "/api/domains/bind"),
    ("DELETE", "/api/auth/session"),
    ("POST", "/workspace"),
    ("POST", "/logout"),
    ("POST", "/preferences"),
]


@pytest.mark.parametrize("said", CROSS, ids=str)
@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_s8_no_change_is_made_for_another_sites_page(
    roomy: Product, roomy_cookie: str, method: str, path: str, said: dict[str, str]
) -> None:
    answer = httpx.request(method, roomy.url + path, headers={"cookie": roomy_cookie, **said})

    assert answer.status_code == 403
    if path.startswith("/api"):
        assert code_of(answer) == "cross_site_request"
    else:
        assert "another site" in answer.text


@pytest.mark.parametrize(("method", "path"), CHANGES[4:])
@pytest.mark.parametrize("key", ["of-nobody", ADMIN_KEY], ids=["wrong", "right"])
def test_s8_a_key_does_not_skip_the_check_where_only_the_cookie_counts(
    roomy: Product, roomy_cookie: str, method: str, path: str, key: str
) -> None:
    headers = {"cookie": roomy_cookie, "authorization": f"Bearer {key}", **CROSS[0]}

    answer = httpx.request(method, roomy.url + path, headers=headers)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("said", [*OWN, {"origin": "OURS"}], ids=str)
@pytest.mark.parametrize(("method", "path"), CHANGES[:3])
def test_s8_our_own_pages_trusted_ones_and_programs_may(
    roomy: Product, roomy_cookie: str, method: str, path: str, said: dict[str, str]
) -> None:
    headers = {name: roomy.url if value == "OURS" else value for name, value in said.items()}

    answer = httpx.request(method, roomy.url + path, headers={"cookie": roomy_cookie, **headers})

    assert answer.status_code in (404, 415)  # it got as far as the operation


@pytest.mark.parametrize("said", CROSS, ids=str)
def test_s8_a_key_needs_no_such_check_and_neither_does_reading(
    roomy: Product, roomy_cookie: str, said: dict[str, str]
) -> None:
    by_key = httpx.delete(f"{roomy.url}/api/messages/msg_0", headers={"authorization": f"Bearer {ADMIN_KEY}", **said})
    reading = httpx.get(f"{roomy.url}/api/mailboxes", headers={"cookie": roomy_cookie, **said})

    assert (by_key.status_code, reading.status_code) == (404, 200)


@pytest.mark.parametrize(
    ("path", "form"), [("/login", {"data": {"api_key": ADMIN_KEY}}), ("/api/auth/session", {"json": KEY})]
)
def test_s8_another_site_signs_nobody_in(roomy: Product, path: str, form: dict[str, Any]) -> None:
    answer = httpx.post(roomy.url + path, headers=CROSS[0], **form)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_s8_a_second_session_cookie_from_a_host_above_is_refused_and_the_same_one_twice_is_not(
    roomy: Product, roomy_cookie: str
) -> None:
    def asked(cookies: str, **more: str) -> httpx.Response:
        return httpx.get(f"{roomy.url}/api/mailboxes", headers={"cookie": cookies, **more})

    tossed = asked(f"{COOKIE_NAME}=of-somebody-else; {roomy_cookie}")

    assert (tossed.status_code, code_of(tossed)) == (401, "two_sessions")
    assert asked(f"{roomy_cookie}; {roomy_cookie}").status_code == 200
    assert asked(f"{COOKIE_NAME}=x; {roomy_cookie}", authorization=f"Bearer {ADMIN_KEY}").status_code == 200
    page = httpx.get(f"{roomy.url}/workspace", headers={"cookie": f"{COOKIE_NAME}=x; {roomy_cookie}", **HTML})
    assert (page.status_code, "two different session cookies" in page.text) == (401, True)


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product with a trusted origin and room for many requests."""
    with a_world(tmp_path_factory.mktemp("world"), WEB_APP_ORIGIN="https://app.example") as world, world.product() as p:
        yield p


@pytest.fixture(scope="module")
def roomy_cookie(roomy: Product) -> str:
    return _signed_in(roomy)


# S9: cookies in clear


def _set_cookies(product: Product, **headers: str) -> list[str]:
    with _anonymous(product) as browser:
        given = _from("198.51.100.11", **headers)
        answers = [
            browser.post("/login", data={"api_key": ADMIN_KEY}, headers=given),
            browser.post("/api/auth/session", json=KEY, headers=given),
            browser.post("/preferences", data={"language": "zh"}, headers=given),
            browser.post("/logout", headers=given),
        ]
        return [answer.headers["set-cookie"] for answer in answers]


def test_s9_who_comes_over_tls_gets_cookies_that_never_go_out_in_clear(behind: Product) -> None:
    over_tls, in_clear = _set_cookies(behind, **{"x-forwarded-proto": "https"}), _set_cookies(behind)

    for cookie in over_tls:
        assert cookie.endswith("; Secure")
        assert cookie.count("Secure") == 1
        assert "domain" not in cookie.lower()
        assert "Path=/;" in cookie
    assert not any("Secure" in cookie for cookie in in_clear)  # loopback


def test_s9_in_production_cookies_are_secure_whatever_the_request_says(tmp_path: Path) -> None:
    with a_world(tmp_path, APP_ENV="production") as world, world.product() as product:
        assert all(cookie.endswith("; Secure") for cookie in _set_cookies(product))
        preflight = httpx.options(f"{product.url}/api/meta", headers={"origin": "http://localhost:4173"})
        assert preflight.status_code == 403


# S16: request ids


@pytest.mark.parametrize(
    "given", [b"x" * 129, b"two words", b"", b"caf\xc3\xa9", b"tab\there", b'"quote"' * 20, b"\xff\xfe"]
)
def test_s16_an_odd_request_id_is_replaced_and_a_plain_one_kept(product: Product, given: bytes) -> None:
    told = httpx.get(f"{product.url}/health", headers={b"x-request-id": given}).headers["x-request-id"]

    assert re.fullmatch(r"req_[0-9a-f]{32}", told)
    assert httpx.get(f"{product.url}/health", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"


def test_s16_the_ray_of_cloudflare_is_taken_when_there_is_no_other(product: Product) -> None:
    answer = httpx.get(f"{product.url}/health", headers={"cf-ray": "8f1-AMS", "x-request-id": "no good"})

    assert answer.headers["x-request-id"] == "8f1-AMS"
