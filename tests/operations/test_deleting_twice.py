"""Steps of deleting a domain that run twice, as they do when a process dies before what they came to is kept."""

import asyncio
from pathlib import Path

import pytest

from kaisoumail.errors import Problem
from kaisoumail.model.domain import DomainStatus
from kaisoumail.storage.tables import domain_events, domains
from kaisoumail.workflows.jobs.delete_domain import forget_hosts, hide, restore
from tests.builders import DEMO
from tests.contexts import a_context


@pytest.mark.parametrize("times", [1, 2, 3])
def test_b3_a_domain_that_was_hidden_twice_comes_back_as_it_was(tmp_path: Path, database_url: str, times: int) -> None:
    async def run() -> None:
        async with a_context(tmp_path, database_url=database_url) as context:
            before = await context.database.read(lambda c: domains.find_any(c, DEMO.id))
            for _ in range(times):
                assert await hide(context, DEMO.id) == DEMO.zone_id
            hidden = await context.database.read(lambda c: domains.find(c, DEMO.id))
            for _ in range(times):
                await restore(context, DEMO.id, Problem("cloudflare_rejected", "No"))
            after = await context.database.read(lambda c: domains.find_any(c, DEMO.id))

            assert before is not None
            assert hidden is None
            assert after is not None
            assert after.status is before.status is DomainStatus.ACTIVE
            assert (after.deleted_at, after.disabled_at, after.status_before_deletion) == (None, None, None)

    asyncio.run(run())


def test_b3_a_domain_that_is_deleted_stays_so_and_says_it_once(tmp_path: Path, database_url: str) -> None:
    async def run() -> None:
        async with a_context(tmp_path, database_url=database_url) as context:
            for _ in range(2):
                await hide(context, DEMO.id)
                await forget_hosts(context, DEMO.id)
                await forget_hosts(context, DEMO.id)
            await restore(context, DEMO.id, Problem("cloudflare_rejected", "No"))

            assert await context.database.read(lambda c: domains.find(c, DEMO.id)) is None
            told = await context.database.read(lambda c: domain_events.listed(c, DEMO.id))
            assert [event.kind for event in told] == ["delete_refused", "deleted"]

    asyncio.run(run())
