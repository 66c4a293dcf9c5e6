"""The Email Worker on its runtime, started once, and a running product for it to hand mail to."""

from collections.abc import Iterator

import pytest

from tests.email_worker import runtime
from tests.email_worker.runtime import Runtime


@pytest.fixture(scope="session")
def email_worker() -> Iterator[Runtime]:
    with runtime.running() as started:
        yield started
