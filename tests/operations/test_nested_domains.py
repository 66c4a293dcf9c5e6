"""The zone of a subdomain is a domain of its own, also inside one of ours: no address belongs to two."""

import asyncio
from pathlib import Path

import pytest

from kaisoumail.errors import Problem
from kaisoumail.model.alias_names import HOSTS
from kaisoumail.operations.domains import enable
from kaisoumail.operations.mailboxes import MailboxRequest, create, request_for
from tests.contexts import a_context
from tests.people import ADA, ROOT


def test_an_address_is_asked_for_at_the_innermost_of_our_domains(tmp_path: Path, database_url: str) -> None:
    async def run() -> None:
        async with a_context(tmp_path, database_url=database_url) as context:
            outer = await request_for(context, "ada@mail.demo.example", None)

            enabled = await enable(context, ROOT, "mail.demo.example", "1" * 32)
            inner = await request_for(context, "ada@x.mail.demo.example", None)

            assert enabled.domain.is_active
            assert outer == MailboxRequest("ada", "mail", "demo.example", None)
            assert inner == MailboxRequest("ada", "x", "mail.demo.example", None)
            with pytest.raises(Problem, match="Invalid mailbox address"):
                await request_for(context, "ada@mail.demo.example", None)

    asyncio.run(run())


def test_a_mailbox_is_made_under_the_innermost_of_our_domains_only(tmp_path: Path, database_url: str) -> None:
    async def run() -> None:
        async with a_context(tmp_path, database_url=database_url) as context:
            for subdomain in set(HOSTS) - {"hub"}:
                await enable(context, ROOT, f"{subdomain}.demo.example", "1" * 32)

            random = [await create(context, ADA, MailboxRequest(root_domain="demo.example")) for _ in range(3)]
            named = [await create(context, ADA, MailboxRequest(subdomain="x.mail")) for _ in range(3)]

            assert {mailbox.address.subdomain for mailbox in random} == {"hub"}
            assert "x.mail.demo.example" not in {mailbox.address.host for mailbox in named}
            with pytest.raises(Problem, match="Invalid mailbox address"):
                await create(context, ADA, MailboxRequest("ada", "mail", "demo.example"))

    asyncio.run(run())
