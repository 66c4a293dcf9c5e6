"""One product on each database that trusts two origins, and browsers in software before it."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.api_client import ApiClient
from tests.authenticator import Authenticator, Json
from tests.conftest import a_migrated_database
from tests.servers import ADMIN_KEY, UNLIMITED, Product, World, a_world

OWN, SECOND, FOREIGN = "https://mail.example.com", "https://app.example.com", "https://evil.example.net"
REGISTRATION, AUTHENTICATION = "kaisoumail_passkey_registration", "kaisoumail_passkey_authentication"
SESSION = "kaisoumail_session"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with a_world(tmp_path_factory.mktemp("world"), WEB_APP_ORIGIN=OWN, WEB_APP_ORIGINS=SECOND, **UNLIMITED) as made:
        yield made


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def product(request: pytest.FixtureRequest, world: World) -> Iterator[Product]:
    if request.param == "sqlite":
        with world.product() as running:
            yield running
        return
    with a_migrated_database(request.getfixturevalue("postgres_server")) as url:
        world.environment["DATABASE_URL"] = url
        try:
            with world.product() as running:
                yield running
        finally:
            del world.environment["DATABASE_URL"]


@pytest.fixture(scope="module")
def bob_key(product: Product) -> str:
    return product.add_member("bob")


@contextmanager
def session_of(product: Product, key: str = ADMIN_KEY) -> Iterator[ApiClient]:
    """A browser with a session and no key."""
    with product.client() as browser:
        assert browser.post("/api/auth/session", json={"apiKey": key}).status_code == 200
        yield browser


@pytest.fixture
def root(product: Product) -> Iterator[ApiClient]:
    with session_of(product) as browser:
        yield browser


@pytest.fixture
def bob(product: Product, bob_key: str) -> Iterator[ApiClient]:
    with session_of(product, bob_key) as browser:
        yield browser


@pytest.fixture
def nobody(product: Product) -> Iterator[ApiClient]:
    with product.client() as browser:
        yield browser


def asked_to_create(browser: httpx.Client, name: str = "Laptop", origin: str = OWN) -> Json:
    asked = browser.post("/api/passkeys/registration/options", json={"name": name}, headers={"origin": origin})
    assert asked.status_code == 200, asked.text
    options: Json = asked.json()
    return options


def asked_to_sign(browser: httpx.Client, origin: str = OWN) -> Json:
    asked = browser.post("/api/auth/passkey/options", headers={"origin": origin})
    assert asked.status_code == 200, asked.text
    options: Json = asked.json()
    return options


def register(browser: httpx.Client, response: Json) -> httpx.Response:
    return browser.post("/api/passkeys/registration/verify", json={"response": response})


def verify(browser: httpx.Client, response: Json) -> httpx.Response:
    return browser.post("/api/auth/passkey/verify", json={"response": response})


def registered(browser: httpx.Client, device: Authenticator, name: str = "Laptop") -> Json:
    made = register(browser, device.create(asked_to_create(browser, name, device.origin)))
    assert made.status_code == 201, made.text
    passkey: Json = made.json()
    return passkey
