"""What the table of domains knows while Cloudflare is not asked."""

import asyncio
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest

from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.model.domain import Zone
from kaisoumail.operations.domain_catalog import read_catalog
from kaisoumail.operations.domains import disable
from kaisoumail.storage.tables import key_values
from kaisoumail.workflows.context import CloudflareAccess
from kaisoumail.workflows.jobs.provision_domain import save_outcome
from tests.builders import DEMO
from tests.contexts import a_context
from tests.database_clock import DatabaseClock
from tests.people import NOON, ROOT

ZONE = Zone(str(DEMO.zone_id), DEMO.root_domain, "pending")


def test_k7_what_was_heard_last_is_shown_though_its_process_is_a_day_behind(
    tmp_path: Path, database_url: str, database_clock: DatabaseClock
) -> None:
    async def run() -> None:
        async with a_context(tmp_path, database_url=database_url, database_clock=database_clock) as context:
            nowhere = Cloudflare("http://127.0.0.1:1", "a-token")
            managing = replace(context, cloudflare=CloudflareAccess(enabled=True, client_or_none=nowhere))
            behind = replace(managing, clock=lambda: NOON - timedelta(days=1))
            await context.database.write(lambda c: key_values.put(c, "cloudflare_zones", [asdict(ZONE)]))
            database_clock.move(seconds=1)
            await save_outcome(behind, DEMO.id, replace(ZONE, status="active"), None, [])

            [entry] = (await read_catalog(behind, ROOT, ask=False)).entries

            assert entry.zone_status == "active"
            await nowhere.close()

    asyncio.run(run())


def test_k7_a_list_of_zones_is_shown_though_the_databases_clock_has_gone_back_since_a_row_was_written(
    tmp_path: Path, database_url: str, database_clock: DatabaseClock
) -> None:
    async def run() -> None:
        async with a_context(tmp_path, database_url=database_url, database_clock=database_clock) as context:
            await save_outcome(context, DEMO.id, replace(ZONE, status="active"), None, [])
            database_clock.move(seconds=-86_400)
            await context.database.write(lambda c: key_values.put(c, "cloudflare_zones", [asdict(ZONE)]))
            managing = replace(
                context, cloudflare=CloudflareAccess(enabled=True, client_or_none=Cloudflare("http://127.0.0.1:1", "t"))
            )

            [entry] = (await read_catalog(managing, ROOT, ask=False)).entries

            assert entry.zone_status == "pending"
            await managing.cloudflare.client().close()

    asyncio.run(run())


@pytest.mark.parametrize("hours", [-24, 0, 24])
@pytest.mark.parametrize("newer", ["the list", "the row"])
def test_a_write_that_knows_nothing_of_the_zone_decides_nothing_about_its_status(
    tmp_path: Path, database_url: str, database_clock: DatabaseClock, newer: str, hours: int
) -> None:
    async def run() -> None:
        async with a_context(tmp_path, database_url=database_url, database_clock=database_clock) as context:
            nowhere = Cloudflare("http://127.0.0.1:1", "a-token")
            managing = replace(context, cloudflare=CloudflareAccess(enabled=True, client_or_none=nowhere))
            managing = replace(managing, clock=lambda: NOON + timedelta(hours=hours))

            async def look(status: str) -> None:
                await save_outcome(managing, DEMO.id, replace(ZONE, status=status), None, [])

            async def list_zones(status: str) -> None:
                rows = [asdict(replace(ZONE, status=status))]
                await context.database.write(lambda c: key_values.put(c, "cloudflare_zones", rows))

            first, second = (look, list_zones) if newer == "the list" else (list_zones, look)
            await first("pending")
            database_clock.move(seconds=1)
            await second("active")
            database_clock.move(seconds=1)
            await disable(managing, ROOT, DEMO.id)
            database_clock.move(days=2)

            [entry] = (await read_catalog(managing, ROOT, ask=False)).entries

            assert entry.zone_status == "active"
            await nowhere.close()

    asyncio.run(run())
