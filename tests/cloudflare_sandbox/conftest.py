"""The pretend Cloudflare, new for every test."""

from collections.abc import Iterator

import pytest

from tests.cloudflare_sandbox.pretend import Pretend, running


@pytest.fixture
def cloudflare() -> Iterator[Pretend]:
    with running() as pretend:
        yield pretend
