"""The zone of a subdomain is a domain of its own, also inside one of ours: no address belongs to two."""

import asyncio
from pathlib import Path

import pytest

from kaisoumail.errors import Problem
from kaisoumail.operations.domains import enable
from kaisoumail.operations.mailboxes import MailboxRequest, request_for
from tests.contexts import a_context
from tests.people import ROOT


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
