"""One running product for this folder: these tests ask and do not get in each other's way."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.api.asking import Things, things_of
from tests.api_client import ApiClient
from tests.builders import an_email
from tests.handing_over import hand_over
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

    def send_to(mailbox: dict[str, Any], subject: str = "Your code is 842911", **more: Any) -> str:
        address = mailbox["address"]
        return hand_over(product.url, address, more.pop("raw", None) or an_email(address, subject, **more))

    return send_to


@pytest.fixture(scope="module")
def spare_domain(product: Product) -> str:
    """A domain that nobody misses."""
    bound: str = product.admin.post("/api/domains/bind", json={"mailDomain": "spare.com"}).json()["id"]
    return bound


@pytest.fixture
def things(product: Product, ada: ApiClient, spare_domain: str) -> Things:
    """What Ada has."""
    return things_of(product, ada, spare_domain)
