"""One running product for this folder: these tests ask and do not get in each other's way."""

from collections.abc import Iterator

import pytest

from tests.servers import Product, a_world


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with a_world(tmp_path_factory.mktemp("world")) as world, world.product() as running:
        yield running
