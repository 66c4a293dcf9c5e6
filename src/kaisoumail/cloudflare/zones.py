"""Zones: `/zones`. Reference: developers.cloudflare.com/api, Zones (September 2026)."""

from typing import Annotated, Final

from msgspec import Meta

from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.cloudflare.envelope import UNUSED, Name, Row
from kaisoumail.model.domain import Zone

_MAX_STATUS: Final = 32  # the length of our column; Cloudflare's longest has 12


class _Zone(Row):
    """*status* is any word: Cloudflare may add new ones."""

    name: Name
    status: Name | None = None
    name_servers: Annotated[list[Name], Meta(max_length=50)] | None = None

    def zone(self) -> Zone:
        return Zone(
            self.id, self.name.lower(), (self.status or "unknown")[:_MAX_STATUS], tuple(self.name_servers or ())
        )


async def find_zone(cloudflare: Cloudflare, name: str, account_id: str | None) -> Zone | None:
    """The zone of exactly this name, in lower case, in the account (None: in any); None if the token sees none."""
    query: dict[str, str | int] = {"name": name}
    if account_id is not None:
        query["account.id"] = account_id
    found = await cloudflare.call("GET", "/zones", list[_Zone], query=query)
    zones = [row.zone() for row in found]
    # Cloudflare ignores an unknown parameter and returns all zones: accept only an equal name.
    return next((zone for zone in zones if zone.name.lower() == name), None)


async def list_zones(cloudflare: Cloudflare) -> list[Zone]:
    """Every zone the token can see."""
    return [row.zone() for row in await cloudflare.pages("/zones", _Zone)]


async def create_zone(cloudflare: Cloudflare, name: str, account_id: str) -> Zone:
    """A new zone, usually `pending`, with the name servers that Cloudflare assigned. Raises AlreadyExists."""
    body = {"name": name, "account": {"id": account_id}, "type": "full"}
    return (await cloudflare.call("POST", "/zones", _Zone, body=body)).zone()


async def read_zone(cloudflare: Cloudflare, zone_id: str) -> Zone:
    """The zone as it is now. Raises MissingPermission (403/9109) when it is gone or hidden from the token."""
    return (await cloudflare.call("GET", f"/zones/{zone_id}", _Zone)).zone()


async def delete_zone(cloudflare: Cloudflare, zone_id: str) -> None:
    """Delete the zone and everything in it. Raises NotFound or MissingPermission (9109) when it is gone."""
    await cloudflare.call("DELETE", f"/zones/{zone_id}", UNUSED)


async def check_activation(cloudflare: Cloudflare, zone_id: str) -> None:
    """Ask Cloudflare to check a pending zone's delegation soon. Raises TryLater within an hour of the last check."""
    await cloudflare.call("PUT", f"/zones/{zone_id}/activation_check", UNUSED)
