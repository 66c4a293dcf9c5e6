"""A context that manages the pretend Cloudflare, with a running engine and clocks moved by hand, in this process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

import cloudflare_sandbox
from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.model.domain import Domain, DomainStatus
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.operations import domains as domain_operations
from kaisoumail.operations.mailboxes import MailboxRequest, create
from kaisoumail.storage.tables import domains, mailboxes
from kaisoumail.workflows.context import CleanupLimits, CloudflareAccess, Context
from kaisoumail.workflows.engine.engine import Engine
from kaisoumail.workflows.jobs import all_jobs
from tests.builders import DEMO
from tests.contexts import a_context
from tests.database_clock import DatabaseClock
from tests.people import ADA, ROOT

WORKER = "kaisoumail-inbound"
assert all_jobs.ALL_JOBS
DEFAULT_CLEANUP = CleanupLimits()
PERMISSIONS = ["Zone Write", "Zone Settings Write", "Email Routing Rules Write", "DNS Write"]


@dataclass
class Managed:
    """
    The *context*, the pretend Cloudflare behind it, and the one clock of process and database.

    *admin* calls Cloudflare as the operator would by hand.
    """

    context: Context
    clock: DatabaseClock
    admin: Cloudflare
    controls: httpx.AsyncClient

    async def active_domain(self, name: str = "customer.com") -> Domain:
        bound = await domain_operations.bind(self.context, ROOT, name)
        (await self.controls.post(f"/_sandbox/zones/{name}/delegate")).raise_for_status()
        return await domain_operations.retry(self.context, ROOT, bound.domain.id)

    async def mailbox(self, address: str, minutes: int | None = 60) -> Mailbox:
        local_part, _, host = address.partition("@")
        subdomain, _, root = host.partition(".")
        return await create(self.context, ADA, MailboxRequest(local_part, subdomain, root, minutes))

    def unmanaged(self) -> "Managed":
        """The same product with Cloudflare management switched off."""
        return replace(self, context=replace(self.context, cloudflare=CloudflareAccess()))

    async def row(self, mailbox: Mailbox) -> Mailbox:
        found = await self.context.database.read(lambda connection: mailboxes.find(connection, mailbox.id))
        assert found is not None
        return found

    async def rules(self, domain: Domain) -> dict[str, dict[str, Any]]:
        """The routing rules at Cloudflare but the catch-all, by address."""
        path = f"/zones/{domain.zone_id}/email/routing/rules"
        rows = await self.admin.call("GET", path, list[dict[str, Any]], query={"per_page": 50})
        literals = [row for row in rows if row["matchers"][0]["type"] == "literal"]
        return {row["matchers"][0]["value"]: row for row in literals}

    async def hosts(self, domain: Domain) -> set[str]:
        """The subdomains that Email Routing is switched on for."""
        settings = await self.admin.call("GET", f"/zones/{domain.zone_id}/email/routing", dict[str, Any])
        return {row["name"] for row in settings.get("subdomains", ())}

    async def calls(self) -> list[str]:
        """The product's calls so far as `METHOD /path`, in order; those of *admin* too."""
        answer = (await self.controls.get("/_sandbox/requests")).json()
        rows = answer["requests"] if isinstance(answer, dict) else answer
        return [f"{row['method']} {row['path'].removeprefix('/client/v4')}" for row in rows]

    async def fault(self, method: str, path: str, **what: Any) -> None:
        body = {"match": {"method": method, "path": path}, "times": 1, **what}
        (await self.controls.post("/_sandbox/faults", json=body)).raise_for_status()


@asynccontextmanager
async def managed(
    folder: Path, database_url: str, clock: DatabaseClock, cleanup: CleanupLimits = DEFAULT_CLEANUP
) -> AsyncIterator[Managed]:
    """A managed context on *database_url*; process and database have the same *clock*."""
    now: Callable[[], datetime] = clock
    async with (
        cloudflare_sandbox.running(host="127.0.0.1", port=0, smtp_port=0) as pretend,
        a_context(folder, clock=now, database_clock=now, database_url=database_url) as plain,
        httpx.AsyncClient(base_url=pretend.url) as controls,
    ):
        target = {"target": "http://127.0.0.1:9/api/inbound", "secret": "a-secret-of-enough-characters-here"}
        (await controls.put(f"/_sandbox/workers/{WORKER}", json=target)).raise_for_status()
        token = pretend.mint_token(kind="user", permissions=PERMISSIONS, zones="all")
        client, admin = Cloudflare(pretend.api_url, token), Cloudflare(pretend.api_url, token)
        access = CloudflareAccess(True, client, pretend.account_id, WORKER)
        url = database_url if database_url.startswith("postgresql") else f"sqlite:///{folder / 'workflows.db'}"
        engine = Engine(url, "managed")
        limits = replace(plain.policy.limits, cleanup=cleanup)
        context = replace(plain, cloudflare=access, runs=engine, policy=replace(plain.policy, limits=limits))
        no_other = replace(DEMO, status=DomainStatus.DISABLED)
        await context.database.write(lambda connection: domains.save(connection, no_other))
        try:
            async with engine.running(context, context.database):
                yield Managed(context, clock, admin, controls)
        finally:
            await client.close()
            await admin.close()


Story = Callable[[Managed], Awaitable[None]]
