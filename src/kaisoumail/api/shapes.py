"""What clients get: the contract's objects, field for field. Fields may be added, never changed."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from kaisoumail.errors import Problem
from kaisoumail.model.clock import iso, iso_or_none
from kaisoumail.model.domain import CatalogEntry, Domain
from kaisoumail.model.guide_places import guide_path
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.model.message import Message
from kaisoumail.model.user import User
from kaisoumail.operations.domains import DomainEvent
from kaisoumail.operations.messages import Opened
from kaisoumail.operations.token_check import Probe, TokenCheck


class Shape(msgspec.Struct, rename="camel", kw_only=True):
    """An answer: camelCase on the wire."""


class SessionUserShape(Shape):
    id: str
    email: str
    name: str
    role: str


class SessionShape(Shape):
    user: SessionUserShape
    authenticated_at: str


class MailboxShape(Shape):
    id: str
    user_id: str
    local_part: str
    subdomain: str
    mail_domain: str
    root_domain: str
    address: str
    source: str
    status: str
    created_at: str
    last_received_at: str | None
    expires_at: str | None
    destroyed_at: str | None
    routing_rule_id: str | None


class DomainShape(Shape):
    id: str
    mail_domain: str
    root_domain: str
    zone_id: str | None
    binding_source: str
    status: str
    catch_all_enabled: bool
    subdomain_dns_mode: str
    wildcard_dns_verified_at: str | None
    wildcard_dns_last_error: str | None
    last_provision_error: str | None
    created_at: str
    updated_at: str
    last_provisioned_at: str | None
    disabled_at: str | None
    # added to the contract
    last_provision_code: str | None
    last_provision_guide: str | None
    cloudflare_status: str | None
    name_servers: list[str]


class CatalogShape(Shape):
    id: str | None
    mail_domain: str
    root_domain: str
    zone_id: str | None
    binding_source: str | None
    cloudflare_availability: str
    cloudflare_status: str | None
    name_servers: list[str]
    project_status: str
    catch_all_enabled: bool
    subdomain_dns_mode: str
    wildcard_dns_verified_at: str | None
    wildcard_dns_last_error: str | None
    last_provision_error: str | None
    created_at: str | None
    updated_at: str | None
    last_provisioned_at: str | None
    disabled_at: str | None
    # added to the contract
    last_provision_code: str | None
    last_provision_guide: str | None


class DomainEventShape(Shape):
    id: str
    at: str
    kind: str
    code: str | None
    message: str | None
    details: dict[str, Any]


class ProbeShape(Shape):
    permission: str
    zone: str | None
    granted: bool
    refusal: str | None


class TokenCheckShape(Shape):
    ok: bool
    checked_at: str
    unconfigured: list[str]
    token_kind: str | None
    account_reachable: bool | None
    zones_visible: int | None
    permissions: list[ProbeShape]
    missing: list[ProbeShape]
    problem: dict[str, Any] | None


class VerificationShape(Shape):
    code: str
    source: str
    method: str


class MessageShape(Shape):
    id: str
    mailbox_id: str
    mailbox_address: str
    subject: str
    preview_text: str
    from_name: str | None
    from_address: str | None
    received_at: str
    size_bytes: int
    attachment_count: int
    has_html: bool
    verification: VerificationShape | None
    # added to the contract
    parse_status: str


class HeaderShape(Shape):
    key: str
    value: str


class RecipientShape(Shape):
    id: str
    kind: str
    name: str | None
    address: str


class RecipientsShape(Shape):
    to: list[RecipientShape]
    cc: list[RecipientShape]
    bcc: list[RecipientShape]
    reply_to: list[RecipientShape]


class AttachmentShape(Shape):
    id: str
    filename: str | None
    content_type: str
    size_bytes: int
    content_id: str | None
    disposition: str


class MessageDetailShape(MessageShape):
    envelope_from: str | None
    envelope_to: str
    message_id: str | None
    date_header: str | None
    html: str | None
    text: str | None
    headers: list[HeaderShape]
    recipients: RecipientsShape
    attachments: list[AttachmentShape]
    raw_download_path: str


def session_shape(user: User, now: datetime) -> SessionShape:
    shape = SessionUserShape(id=user.id, email=user.email, name=user.name, role=user.role.value)
    return SessionShape(user=shape, authenticated_at=iso(now))


def mailbox_shape(mailbox: Mailbox, now: datetime) -> MailboxShape:
    """*mailbox* as it is *now*: one whose time has passed shows as expired."""
    return MailboxShape(
        id=mailbox.id,
        user_id=mailbox.user_id,
        local_part=mailbox.address.local_part,
        subdomain=mailbox.address.subdomain,
        mail_domain=mailbox.address.root_domain,
        root_domain=mailbox.address.root_domain,
        address=str(mailbox.address),
        source=mailbox.source.value,
        status=mailbox.status_at(now).value,
        created_at=iso(mailbox.created_at),
        last_received_at=iso_or_none(mailbox.last_received_at),
        expires_at=iso_or_none(mailbox.expires_at),
        destroyed_at=iso_or_none(mailbox.destroyed_at),
        routing_rule_id=mailbox.routing_rule_id,
    )


def domain_shape(domain: Domain) -> DomainShape:
    return DomainShape(
        id=domain.id,
        mail_domain=domain.root_domain,
        root_domain=domain.root_domain,
        zone_id=domain.zone_id,
        binding_source=domain.binding_source.value,
        status=domain.status.value,
        catch_all_enabled=domain.catch_all_enabled,
        subdomain_dns_mode="explicit",
        wildcard_dns_verified_at=None,
        wildcard_dns_last_error=None,
        last_provision_error=domain.last_provision_error,
        created_at=iso(domain.created_at),
        updated_at=iso(domain.updated_at),
        last_provisioned_at=iso_or_none(domain.last_provisioned_at),
        disabled_at=iso_or_none(domain.disabled_at),
        last_provision_code=domain.last_provision_code,
        last_provision_guide=_provision_guide(domain),
        cloudflare_status=domain.zone_status,
        name_servers=list(domain.name_servers),
    )


def domain_event_shape(event: DomainEvent) -> DomainEventShape:
    return DomainEventShape(
        id=event.id,
        at=iso(event.at),
        kind=event.kind,
        code=event.code,
        message=event.message,
        details=event.details,
    )


def token_check_shape(check: TokenCheck) -> TokenCheckShape:
    def shown(probes: Iterable[Probe]) -> list[ProbeShape]:
        return [
            ProbeShape(permission=each.permission, zone=each.zone, granted=each.granted, refusal=each.refusal)
            for each in probes
        ]

    return TokenCheckShape(
        ok=check.is_well,
        checked_at=iso(check.checked_at),
        unconfigured=list(check.unconfigured),
        token_kind=check.kind,
        account_reachable=check.account_reachable,
        zones_visible=check.zones_visible,
        permissions=shown(check.probes),
        missing=shown(check.missing),
        problem=problem_shape(check.problem) if check.problem else None,
    )


def problem_shape(problem: Problem) -> dict[str, Any]:
    return {"error": problem.message, "details": problem_details(problem)}


def problem_details(problem: Problem) -> dict[str, Any]:
    """The details every client gets: the code, where the guide helps, and what belongs to the problem itself."""
    guide = guide_path(problem)
    return {"code": problem.code, **({"guide": guide} if guide else {}), **problem.details}


def catalog_shape(entry: CatalogEntry) -> CatalogShape:
    """One line of the catalogue. Cloudflare's word on the zone wins; without one, what we last heard stands."""
    domain, zone = entry.domain, entry.zone
    heard_status = domain.zone_status if domain else None
    heard_servers = domain.name_servers if domain else ()
    return CatalogShape(
        id=domain.id if domain else None,
        mail_domain=entry.root_domain,
        root_domain=entry.root_domain,
        zone_id=zone.id if zone else (domain.zone_id if domain else None),
        binding_source=domain.binding_source.value if domain else None,
        cloudflare_availability="available" if zone else "missing",
        cloudflare_status=zone.status if zone else heard_status,
        name_servers=list(zone.name_servers if zone else heard_servers),
        project_status=domain.status.value if domain else "not_enabled",
        catch_all_enabled=domain.catch_all_enabled if domain else False,
        subdomain_dns_mode="explicit",
        wildcard_dns_verified_at=None,
        wildcard_dns_last_error=None,
        last_provision_error=domain.last_provision_error if domain else None,
        created_at=iso(domain.created_at) if domain else None,
        updated_at=iso(domain.updated_at) if domain else None,
        last_provisioned_at=iso_or_none(domain.last_provisioned_at) if domain else None,
        disabled_at=iso_or_none(domain.disabled_at) if domain else None,
        last_provision_code=domain.last_provision_code if domain else None,
        last_provision_guide=_provision_guide(domain) if domain else None,
    )


def _provision_guide(domain: Domain) -> str | None:
    code = domain.last_provision_code
    return guide_path(Problem(code, "")) if code else None


def message_shape(message: Message) -> MessageShape:
    return MessageShape(**_summary(message))


def message_detail_shape(opened: Opened) -> MessageDetailShape:
    message, parsed = opened.message, opened.parsed
    recipients: dict[str, list[RecipientShape]] = {"to": [], "cc": [], "bcc": [], "replyTo": []}
    for number, recipient in enumerate(parsed.recipients):
        shape = RecipientShape(
            id=_part_id("rcp", message, number), kind=recipient.kind, name=recipient.name, address=recipient.address
        )
        recipients[recipient.kind].append(shape)
    return MessageDetailShape(
        **_summary(message),
        envelope_from=message.envelope.sender,
        envelope_to=message.envelope.recipient,
        message_id=parsed.message_id,
        date_header=iso_or_none(parsed.date),
        html=parsed.html,
        text=parsed.text,
        headers=[HeaderShape(key=header.key, value=header.value) for header in parsed.headers],
        recipients=RecipientsShape(
            to=recipients["to"], cc=recipients["cc"], bcc=recipients["bcc"], reply_to=recipients["replyTo"]
        ),
        attachments=[
            AttachmentShape(
                id=_part_id("att", message, number),
                filename=attachment.filename,
                content_type=attachment.content_type,
                size_bytes=attachment.size_bytes,
                content_id=attachment.content_id,
                disposition=attachment.disposition,
            )
            for number, attachment in enumerate(parsed.attachments)
        ],
        raw_download_path=f"/api/messages/{message.id}/raw",
    )


def _part_id(prefix: str, message: Message, number: int) -> str:
    """A stable id for a part that lives only in the raw bytes: the message's own digits, then its place."""
    digits = message.id.removeprefix("msg_")
    return f"{prefix}_{digits[:24]}{number:08x}"


def _summary(message: Message) -> dict[str, Any]:
    found = message.verification
    return {
        "id": message.id,
        "mailbox_id": message.mailbox_id,
        "mailbox_address": message.mailbox_address,
        "subject": message.subject,
        "preview_text": message.preview,
        "from_name": message.from_name,
        "from_address": message.from_address,
        "received_at": iso(message.received_at),
        "size_bytes": message.size_bytes,
        "attachment_count": message.attachment_count,
        "has_html": message.has_html,
        "verification": found and VerificationShape(code=found.code, source=found.source, method=found.method),
        "parse_status": message.parse_status,
    }
