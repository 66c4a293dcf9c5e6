"""How long what public DNS said is believed, whatever the clocks do."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from kaisoumail.model.domain import CatalogEntry, Zone
from kaisoumail.operations.public_dns import delegations_of
from kaisoumail.public_dns.resolver import Resolver
from tests.contexts import a_context
from tests.database_clock import DatabaseClock
from tests.dns_server import a_dns_server
from tests.people import NOON

WAITING = CatalogEntry("customer.com", None, Zone("1" * 32, "customer.com", "pending"))


@pytest.mark.parametrize(
    ("step", "asked"), [({"seconds": 20}, 1), ({"seconds": 21}, 2), ({"hours": -1}, 2), ({"days": -1}, 2)], ids=str
)
def test_k7_an_answer_is_believed_for_twenty_seconds_of_the_databases_clock_and_never_longer(
    tmp_path: Path, database_url: str, database_clock: DatabaseClock, step: dict[str, float], asked: int
) -> None:
    async def run() -> None:
        with a_dns_server() as server:
            resolver = Resolver(*server.address, lambda: NOON)
            async with a_context(tmp_path, database_url=database_url, database_clock=database_clock) as context:
                await delegations_of(replace(context, resolver=resolver), [WAITING])
                database_clock.move(**step)
                await delegations_of(replace(context, resolver=resolver), [WAITING])

            assert server.asked == ["customer.com"] * asked

    asyncio.run(run())
