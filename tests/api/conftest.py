"""One running product for this folder: these tests ask and do not get in each other's way."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.api_client import ApiClient
from tests.builders import an_email
from tests.handing_over import signed
from tests.servers import Product, a_world


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with a_world(tmp_path_factory.mktemp("world")) as world, world.product() as running:
        yield running


@pytest.fixture(scope="module")
def ada(product: Product) -> Iterator[ApiClient]:
    """A member; there is a domain that she can make mailboxes on."""
    product.active_domain("customer.com")
    with product.client(product.add_member("ada")) as client:
        yield client


@pytest.fixture(scope="module")
def bob(product: Product) -> Iterator[ApiClient]:
    with product.client(product.add_member("bob")) as client:
        yield client


@pytest.fixture
def mailbox(ada: ApiClient) -> dict[str, Any]:
    """A mailbox of Ada's with nothing in it."""
    made: dict[str, Any] = ada.post("/api/mailboxes", json={}).json()
    return made


Send = Callable[..., str]


@pytest.fixture
def send(product: Product) -> Send:
    """`send(mailbox, subject, …)`: a mail handed over; the id of the message it became."""

    def hand_over(mailbox: dict[str, Any], subject: str = "Your code is 842911", **more: Any) -> str:
        address = mailbox["address"]
        raw = more.pop("raw", None) or an_email(address, subject, **more)
        answer = httpx.post(f"{product.url}/api/inbound", content=raw, headers=signed(address, raw), timeout=60)
        message_id: str = answer.raise_for_status().json()["messageId"]
        return message_id

    return hand_over
