"""
Email Routing's settings and its DNS: `/zones/:id/email/routing`.

Cloudflare API reference (September 2026), Wrangler's client (August 2026) and the measurements of mailda,
LinuxDoSpace and the Terraform provider's sweeper. Switching on is `POST …/enable` or `POST …/dns`;
`PATCH {"enabled": true}` answers success and does nothing.
"""

from typing import Any, Final

from cloudflare_sandbox import mail_records
from cloudflare_sandbox.answers import UNKNOWN_CODE, Answer, Refusal
from cloudflare_sandbox.sandbox import Call
from cloudflare_sandbox.state import Subdomain, Zone, new_id, timestamp

MAX_DOMAINS: Final = 30  # per zone, apex and subdomains, routing and sending (Email Service limits page)


def settings(call: Call) -> Answer:
    """The settings; every zone has them, also one where Email Routing was never switched on."""
    return Answer(shown(call.zone))


def patch_settings(call: Call) -> Answer:
    """`enabled` is a documented no-op here, unless a switch changes that; the other two fields are applied."""
    routing, fields = call.zone.routing, call.fields
    enabled = fields.get("enabled")
    if call.state.switches.patch_enables_email_routing and isinstance(enabled, bool):
        _enable_apex(call) if enabled else _disable(call, call.zone.name)
    if isinstance(fields.get("support_subaddress"), bool):
        routing.support_subaddress = fields["support_subaddress"]
    if isinstance(fields.get("skip_wizard"), bool):
        routing.skip_wizard = fields["skip_wizard"]
    return Answer(shown(call.zone))


def enable(call: Call) -> Answer:
    """Switch on for the apex, if on already too. Refused on a pending zone (2009) and beside foreign MX (2008)."""
    return _enable_apex(call)


def enable_name(call: Call) -> Answer:
    """
    `POST …/dns`: the apex, or with a name the subdomain of that name. Answers the settings, not records.

    A subdomain is accepted before the apex is switched on, and receives nothing until it is: what Cloudflare
    answers there is unknown.
    """
    name = _name_in(call)
    if name == call.zone.name:
        return _enable_apex(call)
    refuse_unless_active(call.zone)
    if not name.endswith(f".{call.zone.name}"):
        raise Refusal(422, 2007, "Invalid Input: name: must be the zone or a name below it.")
    subdomain = mail_records.find_subdomain(call.zone, name)
    if subdomain is None:
        if len(call.zone.routing.subdomains) + len(call.zone.sending) + 1 >= MAX_DOMAINS:
            raise Refusal(400, UNKNOWN_CODE, "Too many domains in this zone")
        subdomain = Subdomain(new_id(), name)
        call.zone.routing.subdomains.append(subdomain)
    subdomain.unlocked = False
    mail_records.add(call.zone, name, timestamp(call.now()))
    return _modified(call)


def disable(call: Call) -> Answer:
    """
    Switch off the apex and with it every subdomain, or with a name that subdomain alone. Rules stay.

    Records that Email Routing added are removed (docs, "Disable Email Routing"); that the subdomains are removed
    too is the wording of the dashboard.
    """
    return _disable(call, _name_in(call))


def _disable(call: Call, name: str) -> Answer:
    zone = call.zone
    if name == zone.name:
        zone.routing.enabled = zone.routing.unlocked = False
    removed = [subdomain for subdomain in zone.routing.subdomains if name in (zone.name, subdomain.name)]
    for subdomain in removed:
        mail_records.remove(zone, subdomain.name)
        zone.routing.subdomains.remove(subdomain)
    mail_records.remove(zone, name)
    return _modified(call)


def unlock(call: Call) -> Answer:
    """`PATCH …/dns` or `POST …/unlock`: the records of that name may be edited from now on."""
    zone, name = call.zone, _name_in(call)
    refuse_unless_active(zone)
    subdomain = mail_records.find_subdomain(zone, name)
    if name == zone.name and zone.routing.enabled:
        zone.routing.unlocked = True
    elif subdomain is not None:
        subdomain.unlocked = True
    mail_records.unlock(zone, name)
    return _modified(call)


def required_records(call: Call) -> Answer:
    """
    The records the apex needs, as a list; with `?subdomain=` an object of another shape.

    A name that was never switched on has `errors` and no `records` key; a ready one `errors: null` and its
    records (mailda, measured September 2026). The label must be the full name.
    """
    zone, name = call.zone, call.query.get("subdomain", "").strip().lower().rstrip(".")
    switches = call.state.switches
    refuse_unless_active(zone)
    if not name:
        is_shown = zone.routing.enabled or switches.required_records_when_off
        return Answer(mail_records.required(zone, zone.name) if is_shown else [])
    found = mail_records.faults(zone, name)
    is_on = zone.routing.enabled if name == zone.name else mail_records.find_subdomain(zone, name) is not None
    is_listed = is_on or switches.unset_subdomain_lists_records
    records = {"records": mail_records.required(zone, name)} if is_listed else {}
    return Answer({"errors": found or None, **records})


def shown(zone: Zone) -> dict[str, Any]:
    """The settings object as captured by LinuxDoSpace in March 2026."""
    routing = zone.routing
    found = mail_records.faults(zone, zone.name) if routing.enabled else []
    fields: dict[str, Any] = {
        "id": routing.id,
        "tag": routing.id,
        "name": zone.name,
        "enabled": routing.enabled,
        "created": routing.created,
        "modified": routing.modified,
        "skip_wizard": routing.skip_wizard,
        "support_subaddress": routing.support_subaddress,
        "synced": True,
        "admin_locked": False,
        "status": _status(routing.enabled, routing.unlocked, bool(found)),
    }
    if routing.subdomains:
        fields["subdomains"] = [_subdomain_shown(zone, subdomain) for subdomain in routing.subdomains]
    return fields | ({"errors": found} if found else {})


def refuse_unless_active(zone: Zone) -> None:
    """Refuse (403, 2009) what Email Routing does not do on a zone that waits for its name servers."""
    if zone.status != "active":
        raise Refusal(403, 2009, "Active zone required")


def _enable_apex(call: Call) -> Answer:
    zone = call.zone
    refuse_unless_active(zone)
    if mail_records.foreign_mx(zone, zone.name):
        raise Refusal(409, 2008, "Non-Cloudflare MX records exist")
    zone.routing.enabled, zone.routing.unlocked, zone.routing.skip_wizard = True, False, True
    mail_records.add(zone, zone.name, timestamp(call.now()))
    return _modified(call)


def _modified(call: Call) -> Answer:
    call.zone.routing.modified = timestamp(call.now())
    return Answer(shown(call.zone))


def _name_in(call: Call) -> str:
    """The name a call is about: the apex if it is missing, `@` or that of the zone."""
    name = call.fields.get("name")
    if name is not None and not isinstance(name, str):
        raise Refusal(422, 2007, "Invalid Input: name: must be a string.")
    plain = (name or "").strip().lower().rstrip(".")
    return call.zone.name if plain in ("", "@") else plain


def _status(is_enabled: bool, is_unlocked: bool, has_faults: bool) -> str:
    if not is_enabled:
        return "unconfigured"
    if has_faults:
        return "misconfigured" if is_unlocked else "misconfigured/locked"
    return "unlocked" if is_unlocked else "ready"


def _subdomain_shown(zone: Zone, subdomain: Subdomain) -> dict[str, Any]:
    status = _status(True, subdomain.unlocked, bool(mail_records.faults(zone, subdomain.name)))
    return {"id": subdomain.id, "tag": subdomain.id, "name": subdomain.name, "enabled": True, "status": status}
