"""The pretend Cloudflare: started once, as new for every test. `test_running.py` starts its own."""

from collections.abc import Iterator

import pytest

from tests.cloudflare_sandbox.pretend import Pretend, running


@pytest.fixture(scope="session")
def _started() -> Iterator[Pretend]:
    with running() as pretend:
        yield pretend


@pytest.fixture
def cloudflare(_started: Pretend) -> Pretend:
    _started.make_new()
    return _started
