"""Zones: `/zones`. Reference: developers.cloudflare.com/api, Zones (September 2026)."""

from typing import Any

from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.cloudflare.errors import Answer, Unreadable
from kaisoumail.model.domain import Zone


async def find_zone(cloudflare: Cloudflare, name: str, account_id: str | None) -> Zone | None:
    """The zone of exactly this name in the account, or None if the token sees none."""
    query: dict[str, str | int] = {"name": name}
    if account_id is not None:
        query["account.id"] = account_id
    found = await cloudflare.call("GET", "/zones", query=query)
    zones = [_zone(row, "GET", "/zones") for row in found]
    # An unknown parameter is ignored by Cloudflare and answers everything: believe only an equal name.
    return next((zone for zone in zones if zone.name.lower() == name), None)


async def list_zones(cloudflare: Cloudflare) -> list[Zone]:
    """Every zone the token can see."""
    return [_zone(row, "GET", "/zones") for row in await cloudflare.pages("/zones")]


async def create_zone(cloudflare: Cloudflare, name: str, account_id: str) -> Zone:
    """A new zone, usually `pending`, with the name servers Cloudflare assigned. Raises AlreadyExists."""
    body = {"name": name, "account": {"id": account_id}, "type": "full"}
    return _zone(await cloudflare.call("POST", "/zones", body=body), "POST", "/zones")


async def read_zone(cloudflare: Cloudflare, zone_id: str) -> Zone:
    """The zone as it is now. One that is gone, or hidden from the token, raises MissingPermission (403/9109)."""
    path = f"/zones/{zone_id}"
    return _zone(await cloudflare.call("GET", path), "GET", path)


async def delete_zone(cloudflare: Cloudflare, zone_id: str) -> None:
    """Delete the zone and everything in it. One that is gone raises NotFound or MissingPermission (9109)."""
    await cloudflare.call("DELETE", f"/zones/{zone_id}")


async def check_activation(cloudflare: Cloudflare, zone_id: str) -> None:
    """Have Cloudflare look at a pending zone's delegation soon. Raises TooSoon within an hour of the last."""
    await cloudflare.call("PUT", f"/zones/{zone_id}/activation_check")


def _zone(row: Any, method: str, path: str) -> Zone:
    try:
        return Zone(
            id=str(row["id"]),
            name=str(row["name"]).lower(),
            status=str(row.get("status") or "unknown"),
            name_servers=tuple(str(server) for server in row.get("name_servers") or ()),
        )
    except (TypeError, KeyError, AttributeError):
        raise Unreadable(Answer(method, path, 200, message="a zone without id or name")) from None
