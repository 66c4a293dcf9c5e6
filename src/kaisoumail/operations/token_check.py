"""Checking the Cloudflare token: whether it is valid and has every permission. For `doctor`, API and pages."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from kaisoumail.cloudflare import tokens, zones
from kaisoumail.cloudflare.errors import CloudflareError
from kaisoumail.cloudflare.limiter import calling_for
from kaisoumail.cloudflare.tokens import Probe as Probe
from kaisoumail.errors import Problem
from kaisoumail.model.domain import Zone
from kaisoumail.model.user import Viewer
from kaisoumail.operations.meta import VERIFIED
from kaisoumail.storage.tables import domains, key_values
from kaisoumail.workflows.context import Context

MOST_ZONES: Final = 10  # each costs three requests


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """
    The result of a check. *problem* is what stopped it; *probes* has the permissions tried before that.

    *kind* is "user" or "account"; *zones_visible* how many zones the token sees; *unconfigured* the
    variables that are not set.
    """

    checked_at: datetime
    unconfigured: tuple[str, ...] = ()
    kind: str | None = None
    account_reachable: bool | None = None
    zones_visible: int | None = None
    probes: tuple[Probe, ...] = ()
    problem: Problem | None = None

    @property
    def missing(self) -> tuple[Probe, ...]:
        return tuple(probe for probe in self.probes if not probe.granted)

    @property
    def is_well(self) -> bool:
        """Whether the check ran to its end, and nothing is unconfigured, missing or out of reach."""
        return (
            self.problem is None and not self.unconfigured and not self.missing and self.account_reachable is not False
        )


async def check_token(context: Context, viewer: Viewer) -> TokenCheck:
    """
    What the token may do, tried now by harmless requests; stored for `read_meta`.

    Raises Problem `admin_required`, or as `examine`.
    """
    viewer.must_be_admin()
    found = await examine(context)
    await context.database.write(
        partial(key_values.put, key=VERIFIED, value={"ok": found.is_well}, now=found.checked_at)
    )
    return found


async def examine(context: Context) -> TokenCheck:
    """
    The check alone, without a viewer, for the command line; what Cloudflare refuses is in the result.

    Raises Problem `management_disabled` or `token_missing`.
    """
    routing, now = context.cloudflare, context.clock()
    if not routing.enabled:
        raise Problem("management_disabled", "Cloudflare is not used: EMAIL_ROUTING_MANAGEMENT_ENABLED is not true")
    required = {"CLOUDFLARE_ACCOUNT_ID": routing.account_id, "EMAIL_WORKER_NAME": routing.worker_name}
    unconfigured = tuple(name for name, value in required.items() if value is None)
    cloudflare, account_id = routing.client(), routing.account_id
    kind, reachable, visible, probes = None, None, None, list[Probe]()
    try:
        with calling_for("domains.token_check"):
            kind = await tokens.kind_of(cloudflare, account_id)
            reachable = await _reaches_account(context)
            listed = await zones.list_zones(cloudflare)
            visible = len(listed)
            if account_id is not None:
                probes.append(await tokens.may_create_zones(cloudflare, account_id))
            for zone in await _zones_to_probe(context, listed):
                probes += await tokens.probes_of(cloudflare, zone)
    except CloudflareError as error:
        return TokenCheck(now, unconfigured, kind, reachable, visible, tuple(probes), error.problem())
    return TokenCheck(now, unconfigured, kind, reachable, visible, tuple(probes))


async def _reaches_account(context: Context) -> bool | None:
    if context.cloudflare.account_id is None:
        return None
    try:
        await tokens.read_account(context.cloudflare.client(), context.cloudflare.account_id)
    except CloudflareError:
        return False
    return True


async def _zones_to_probe(context: Context, listed: list[Zone]) -> list[Zone]:
    """Up to `MOST_ZONES` zones, those of our domains first."""
    ours = {domain.zone_id for domain in await context.database.read(partial(domains.listed))}
    return sorted(listed, key=lambda zone: zone.id not in ours)[:MOST_ZONES]
