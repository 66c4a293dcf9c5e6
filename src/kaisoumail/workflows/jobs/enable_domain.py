"""Enable a zone that exists at Cloudflare: find it, save it, switch Email Routing on."""

from kaisoumail.cloudflare import zones
from kaisoumail.cloudflare.calls import recording
from kaisoumail.cloudflare.errors import CloudflareError
from kaisoumail.cloudflare.limiter import calling_for
from kaisoumail.errors import Problem
from kaisoumail.model.domain import BindingSource, Zone
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.steps import step
from kaisoumail.workflows.jobs.bind_domain import save_zone
from kaisoumail.workflows.jobs.provision_domain import PATIENCE, reconcile_unless, save_outcome, switch_on
from kaisoumail.workflows.jobs.step_names import FIND_ZONE, SAVE_OUTCOME, SAVE_ZONE, SWITCH_ON


@job("enable_domain", version=2)
async def enable_domain(context: Context, root_domain: str, zone_id: str | None) -> None:
    """
    Raises Problem `zone_not_in_cloudflare` when the token does not see this zone under this name, and
    CloudflareError before the row is written; after that every outcome is in the row.
    """
    with calling_for("domains.create"):
        with recording() as calls:
            zone = await step(FIND_ZONE, find_zone, context, root_domain, zone_id, retry=PATIENCE)
        domain_id = await step(SAVE_ZONE, save_zone, context, root_domain, zone, BindingSource.CATALOG, calls)
        with recording() as calls:
            try:
                refusal = await step(SWITCH_ON, switch_on, context, zone, retry=PATIENCE)
                refusal = await reconcile_unless(refusal, context, domain_id, zone)
            except CloudflareError as error:
                refusal = error.problem()
        await step(SAVE_OUTCOME, save_outcome, context, domain_id, zone, refusal, calls)


async def find_zone(context: Context, root_domain: str, zone_id: str | None) -> Zone:
    """
    The zone of this name, whose id is *zone_id* unless that is None.

    Raises Problem `zone_not_in_cloudflare` when the token sees no such zone.
    """
    zone = await zones.find_zone(context.cloudflare.client(), root_domain, None)
    if zone is None or zone_id not in (None, zone.id):
        raise Problem(
            "zone_not_in_cloudflare",
            "Mailbox domain is not available in Cloudflare",
            rootDomain=root_domain,
            zoneId=zone_id,
        )
    return zone
