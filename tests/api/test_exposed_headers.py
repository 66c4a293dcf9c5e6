"""A page of a trusted origin can read every header that our answers tell clients something by."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.api.asking import ASKS, Ask, Things, ask_for, things_of
from tests.servers import Product, a_world

DOCS: Final = Path(__file__).parents[2] / "docs"
ORIGIN: Final = "https://app.example"
# Readable without being named (Fetch, "CORS-safelisted response-header name").
SAFELISTED: Final = {
    "cache-control",
    "content-language",
    "content-length",
    "content-type",
    "expires",
    "last-modified",
    "pragma",
}
# For the browser itself, or never shown to a page.
BROWSERS: Final = {
    "allow",
    "content-encoding",
    "content-security-policy",
    "date",
    "location",
    "referrer-policy",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "vary",
    "x-accel-buffering",
    "x-content-type-options",
}
_NAMED: Final = re.compile(r"`(x-[a-z-]+|retry-after|ratelimit(?:-policy)?|etag|content-disposition)`", re.IGNORECASE)
# What clients send us, and what stands in our description rather than in an answer.
SENT_TO_US: Final = {
    "x-kaisoumail-envelope-from",
    "x-kaisoumail-envelope-to",
    "x-kaisoumail-signature",
    "x-kaisoumail-ticket",
    "x-kaisoumail-timestamp",
}
IN_THE_DESCRIPTION: Final = {"x-kaisoumail-admin", "x-kaisoumail-codes", "x-kaisoumail-scope", "x-reads-as"}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with a_world(tmp_path_factory.mktemp("world"), WEB_APP_ORIGIN=ORIGIN) as world, world.product() as running:
        running.active_domain("customer.com")
        yield running


@pytest.fixture(scope="module")
def exposed(product: Product) -> set[str]:
    answer = httpx.get(f"{product.url}/api/version", headers={"origin": ORIGIN})
    return {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}


@pytest.fixture(scope="module")
def things(product: Product) -> Things:
    spare = product.admin.post("/api/domains/bind", json={"mailDomain": "spare.com"}).json()["id"]
    return things_of(product, product.admin, spare)


@pytest.mark.parametrize("ask", [ask for ask in ASKS if ask.method == "GET"], ids=str)
def test_i15_every_header_of_every_answer_can_be_read_across_origins(
    product: Product, things: Things, exposed: set[str], ask: Ask
) -> None:
    answer = ask_for(product.admin, ask, things)

    ours = {name for name in answer.headers if not name.startswith(("access-control-", "cross-origin-"))}
    assert ours - SAFELISTED - BROWSERS - exposed == set()


def test_every_header_that_the_docs_name_can_be_read(exposed: set[str]) -> None:
    named = {name.lower() for page in DOCS.rglob("*.md") for name in _NAMED.findall(page.read_text())}

    asked_for = {name for name in named if not name.startswith("x-forwarded-")} - SENT_TO_US - IN_THE_DESCRIPTION
    assert {"x-kaisoumail-cursor", "retry-after"} <= asked_for
    assert asked_for - exposed == set()
