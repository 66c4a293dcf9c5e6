"""The small form of `make bench BENCH=growth`."""

import asyncio
from pathlib import Path

from benches.growth import measured


def test_mailboxes_that_lived_leave_nothing_that_grows(tmp_path: Path) -> None:
    growth = asyncio.run(measured(tmp_path, lives=160))

    assert growth.sizes["1/1"]["rows of audit"] > 0
    assert growth.growing() == []
