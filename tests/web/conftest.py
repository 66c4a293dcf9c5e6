"""The pages of a running product, asked by plain HTTP as a browser without JavaScript would."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from kaisoumail.auth.sessions import COOKIE_NAME
from tests.servers import ADMIN_KEY, Product, a_world


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def text_of(response: httpx.Response) -> str:
    """What a reader sees of a page, in one line."""
    reader = _Text()
    reader.feed(response.text)
    return " ".join("".join(reader.parts).split())


@dataclass
class Site:
    product: Product
    member_key: str

    @contextmanager
    def visitor(self, key: str | None = None, language: str = "en") -> Iterator[httpx.Client]:
        """A browser, signed in with *key*; it follows no redirect by itself."""
        headers = {"accept-language": language}
        with httpx.Client(base_url=self.product.url, timeout=60, headers=headers) as client:
            if key is not None:
                signed_in = client.post("/login", data={"api_key": key})
                assert signed_in.status_code == 303, signed_in.text
                assert COOKIE_NAME in client.cookies
            yield client

    def admin(self) -> AbstractContextManager[httpx.Client]:
        return self.visitor(ADMIN_KEY)

    def member(self) -> AbstractContextManager[httpx.Client]:
        return self.visitor(self.member_key)


@contextmanager
def a_site(folder: Path) -> Iterator[Site]:
    with a_world(folder) as world, world.product() as product:
        product.active_domain("customer.com")
        yield Site(product, product.add_member("Bob"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Shared by the tests of a file."""
    with a_site(tmp_path_factory.mktemp("site")) as opened:
        yield opened


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    """For a test after which Cloudflare is in trouble: a rate limit, for one, is remembered."""
    with a_site(tmp_path) as opened:
        yield opened
