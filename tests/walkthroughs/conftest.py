"""Running worlds for the stories: real processes, real HTTP, real SMTP, nothing patched."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Product, World, a_world


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """A pretend Cloudflare, and the product's settings; each story runs on SQLite and on PostgreSQL."""
    with a_world(tmp_path, DATABASE_URL=database_url) as opened:
        yield opened


@pytest.fixture
def product(world: World) -> Iterator[Product]:
    with world.product() as running:
        yield running
