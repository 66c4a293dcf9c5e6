"""
The part of Email Sending that its recorded refusals need: `/zones/:id/email/sending/subdomains`.

A token without the permission gets 401/2036 here, not 403/10000 (mailflare issue 45, September 2026); a name
added twice is 2040 (mailda; its status is inferred). Nothing here sends messages, and no records are added.
"""

from typing import Any

from cloudflare_sandbox.answers import Answer, Refusal
from cloudflare_sandbox.sandbox import Call
from cloudflare_sandbox.state import SendingSubdomain, new_id, timestamp


def list_subdomains(call: Call) -> Answer:
    _refuse_unless(call, "Email Sending Read")
    return Answer([_shown(subdomain) for subdomain in call.zone.sending])


def create_subdomain(call: Call) -> Answer:
    _refuse_unless(call, "Email Sending Write")
    value = call.fields.get("name")
    name = value.strip().lower().rstrip(".") if isinstance(value, str) else ""
    if name != call.zone.name and not name.endswith(f".{call.zone.name}"):
        raise Refusal(422, 2007, "Invalid Input: name: must be the zone or a name below it.")
    if any(subdomain.name == name for subdomain in call.zone.sending):
        raise Refusal(409, 2040, "Subdomain already exists")
    now = timestamp(call.now())
    subdomain = SendingSubdomain(new_id(), name, created=now, modified=now)
    call.zone.sending.append(subdomain)
    return Answer(_shown(subdomain))


def _refuse_unless(call: Call, permission: str) -> None:
    if not call.token.may(permission):
        raise Refusal(401, 2036, "Unauthorized")


def _shown(subdomain: SendingSubdomain) -> dict[str, Any]:
    return {
        "tag": subdomain.id,
        "name": subdomain.name,
        "enabled": True,
        "created": subdomain.created,
        "modified": subdomain.modified,
    }
