"""Whatever is wrong with a request, the answer has the one form, the right status and a code."""

from typing import Any

import httpx
import pytest

from tests.api_client import code_of
from tests.servers import Product

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":}', b"\xff\xfe", b"[" * 5000, b'{"a": NaN}'])
def test_malformed_json_is_400(product: Product, body: bytes) -> None:
    answer = product.admin.post("/api/mailboxes", content=body, headers=JSON)

    assert (answer.status_code, code_of(answer)) == (400, "malformed_json")


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null"])
def test_json_that_is_no_object_is_400(product: Product, body: bytes) -> None:
    answer = product.admin.post("/api/mailboxes", content=body, headers=JSON)

    assert answer.status_code == 400
    assert answer.json()["details"]["formErrors"] == ["Expected a JSON object"]


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_another_content_type_is_415(product: Product, media_type: str) -> None:
    answer = product.admin.post("/api/mailboxes", content=b"{}", headers={"content-type": media_type})

    assert (answer.status_code, code_of(answer)) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/mailboxes/", "/api/mailboxes/mbx_1/nothing", "/api//meta", "/api"]
)
def test_an_unknown_path_is_404_in_the_envelope(product: Product, path: str) -> None:
    answer = product.admin.get(path)

    assert (answer.status_code, code_of(answer)) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/api/mailboxes"), ("DELETE", "/api/meta"), ("PATCH", "/api/domains/bind")]
)
def test_a_wrong_method_is_405_and_says_what_is_allowed(product: Product, method: str, path: str) -> None:
    answer = product.admin.request(method, path)

    assert (answer.status_code, code_of(answer)) == (405, "method_not_allowed")
    assert answer.headers["allow"]


WRONG_FIELDS: list[tuple[dict[str, Any], list[str]]] = [
    ({"expiresInMinutes": 59}, ["expiresInMinutes"]),
    ({"expiresInMinutes": 525601}, ["expiresInMinutes"]),
    ({"expiresInMinutes": 60.5}, ["expiresInMinutes"]),
    ({"expiresInMinutes": "60"}, ["expiresInMinutes"]),
    ({"expiresInMinutes": True}, ["expiresInMinutes"]),
    ({"localPart": "UPPER"}, ["localPart"]),
    ({"localPart": "a.b"}, ["localPart"]),
    ({"localPart": "ada\n"}, ["localPart"]),
    ({"localPart": "a" * 33}, ["localPart"]),
    ({"localPart": None}, ["localPart"]),
    ({"subdomain": "-mail"}, ["subdomain"]),
    ({"mailDomain": 5}, ["mailDomain"]),
    ({"mailDomain": "a.example", "rootDomain": "b.example"}, ["mailDomain"]),
    ({"localPart": 1, "subdomain": "", "expiresInMinutes": 0}, ["localPart", "subdomain", "expiresInMinutes"]),
]


@pytest.mark.parametrize(("body", "fields"), WRONG_FIELDS, ids=str)
def test_every_wrong_field_is_named_at_once(product: Product, body: dict[str, Any], fields: list[str]) -> None:
    answer = product.admin.post("/api/mailboxes", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"] == "Invalid request"
    assert list(answer.json()["details"]["fieldErrors"]) == fields


def test_a_whole_number_may_be_written_with_a_point(product: Product) -> None:
    answer = product.admin.post("/api/mailboxes", content=b'{"expiresInMinutes": 60.0}', headers=JSON)

    assert code_of(answer) == "no_domains"


@pytest.mark.parametrize(
    "body",
    [
        {"address": "ada@mail.demo.example", "localPart": "ada"},
        {"localPart": "ada", "subdomain": "mail", "colour": "red"},
        {"localPart": "ada"},
        {"address": "not an address"},
        {},
    ],
)
def test_ensure_is_strict_about_its_two_forms(product: Product, body: dict[str, str]) -> None:
    assert product.admin.post("/api/mailboxes/ensure", json=body).status_code == 400


@pytest.mark.parametrize(
    "address", ["ada+tag@mail.demo.example", "ada@demo.example", "ada@mail.elsewhere.example", "a.da@mail.demo.example"]
)
def test_ensuring_an_address_that_can_be_no_mailbox_is_said(product: Product, address: str) -> None:
    answer = product.admin.post("/api/mailboxes/ensure", json={"address": address})

    assert (answer.status_code, answer.json()["error"]) == (400, "Invalid mailbox address")


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/api/messages", "after=2026-04-03", "after"),
        ("/api/messages", "since=2026-04-03T12:00:00", "since"),
        ("/api/messages", "since=", "since"),
        ("/api/messages", "after=2026-02-30T00:00:00Z", "after"),
        ("/api/messages", "after=2026-04-03T12:00:00Z&after=2026-04-03T13:00:00Z", "after"),
        ("/api/messages", "scope=everything", "scope"),
        ("/api/messages", "mailboxStatus=active&mailboxStatus=asleep", "mailboxStatus"),
        ("/api/mailboxes", "status=active,expired", "status"),
        ("/api/mailboxes", "status=active%0A", "status"),
        ("/api/mailboxes", "scope=default&scope=workspace", "scope"),
        ("/api/mailboxes/resolve", "", "address"),
        ("/api/mailboxes/resolve", "address=nonsense", "address"),
    ],
)
def test_a_wrong_query_names_its_field(product: Product, path: str, query: str, field: str) -> None:
    answer = product.admin.get(f"{path}?{query}")

    assert answer.status_code == 400
    assert answer.json()["details"]["fieldErrors"].keys() == {field}


@pytest.mark.parametrize("query", ["limit=5", "q=%ff%00", "mailbox=garbage&mailboxId=more", "after=2026-04-03T12:00Z"])
def test_unknown_or_harmless_queries_are_fine(product: Product, query: str) -> None:
    assert product.admin.get(f"/api/messages?{query}").status_code == 200


def test_a_body_beyond_the_limit_is_413(product: Product) -> None:
    answer = product.admin.post("/api/mailboxes", json={"localPart": "a" * 100_000})

    assert (answer.status_code, code_of(answer)) == (413, "too_large")


DOMAIN_FIELDS = [
    "https://customer.com",
    "ada@customer.com",
    "customer.com.",
    "192.0.2.1",
    "localhost",
    "",
    "x" * 300 + ".com",
    "📮",
    "a b.com",
    "co.uk",
]


@pytest.mark.parametrize("text", DOMAIN_FIELDS)
def test_anything_in_the_domain_field_gets_a_sentence_and_calls_nobody(product: Product, text: str) -> None:
    answer = product.admin.post("/api/domains/bind", json={"mailDomain": text})

    assert answer.status_code == 400
    assert product.world.requests() == []


def test_binding_needs_a_domain(product: Product) -> None:
    answer = product.admin.post("/api/domains/bind", json={})

    assert answer.json()["details"]["fieldErrors"] == {"mailDomain": ["Either mailDomain or rootDomain is required"]}


def test_unknown_ids_are_404(product: Product) -> None:
    for path in ("/api/mailboxes/mbx_0", "/api/messages/msg_0", "/api/messages/msg_0/raw"):
        assert product.admin.get(path).status_code == 404
    assert product.admin.post("/api/domains/dom_0/retry").status_code == 404


def test_head_is_answered_like_get_without_a_body(product: Product) -> None:
    for path in ("/health", "/api/meta", "/api/mailboxes"):
        answer = product.admin.head(path)
        assert answer.status_code == 200
        assert answer.content == b""


@pytest.mark.parametrize("given", ["abc-123", "x" * 128])
def test_a_callers_request_id_is_kept(product: Product, given: str) -> None:
    assert product.admin.get("/health", headers={"x-request-id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["x" * 129, "two words", ""])
def test_a_request_id_that_is_long_or_odd_is_replaced(product: Product, given: str) -> None:
    told = product.admin.get("/health", headers={"x-request-id": given}).headers["x-request-id"]

    assert told.startswith("req_")


def test_a_trusted_origin_may_ask_and_a_stranger_may_not(product: Product) -> None:
    def preflight(origin: str) -> httpx.Response:
        return product.admin.options("/api/mailboxes", headers={"origin": origin})

    assert preflight("http://localhost:4173").status_code == 204
    assert preflight("http://localhost:4173").headers["access-control-allow-origin"] == "http://localhost:4173"
    assert preflight("https://evil.example").status_code == 403
    assert preflight("null").status_code == 403
    assert "access-control-allow-origin" not in product.admin.get("/api/meta", headers={"origin": "null"}).headers
