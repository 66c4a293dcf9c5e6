"""
DNS records: `/zones/:id/dns_records`.

Shape and order recorded by dns-lexicon (August 2025); errors measured by hampel/cloudflare-api or quoted
(81057 by aaPanel issue 112, 890190 by several). Records are stored and listed; nothing here serves them.
"""

import ipaddress
import re
from dataclasses import replace
from typing import Any, Final

from cloudflare_sandbox import mail_records
from cloudflare_sandbox.answers import Answer, Refusal, page_of
from cloudflare_sandbox.sandbox import Call
from cloudflare_sandbox.state import Record, Zone, new_id, timestamp

_PROXIABLE: Final = ("A", "AAAA", "CNAME")
_TYPES: Final = (*_PROXIABLE, "MX", "TXT", "NS", "CAA", "SRV", "PTR")
_SORTED_BY: Final = ("type", "name", "content", "ttl", "proxied")
_NAME: Final = re.compile(r"(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_MANAGED_MX: Final = "This zone is managed by Email Routing. Disable Email Routing to add/modify MX records."


def list_records(call: Call) -> Answer:
    """Records by name, type and content (exact, or `name.contains` and the like); unknown filters are ignored."""
    query = call.query
    shows_managed = call.state.switches.managed_records_are_listed
    rows = [record for record in call.zone.records if shows_managed or not record.managed]
    found = [record for record in rows if _fits(record, query)]
    order = query.get("order")
    if order in _SORTED_BY:
        found.sort(key=lambda record: str(getattr(record, order)))
    if query.get("direction") == "desc":
        found.reverse()
    return page_of([shown(record) for record in found], query, per_page=100)


def create_record(call: Call) -> Answer:
    """A new record; refused beside an identical one (81058) and when the zone holds the most (81045)."""
    now = timestamp(call.now())
    record = _record_from(call, Record(new_id(), "", "", "", created_on=now, modified_on=now))
    _refuse_identical(call.zone, record, 81058, "An identical record already exists.")
    if len(call.zone.records) >= call.state.switches.max_dns_records:
        raise Refusal(400, 81045, "Record quota exceeded.")  # quoted by ZoneABC issue 30 and js.org issue 2873
    call.zone.records.append(record)
    return Answer(shown(record))


def read_record(call: Call) -> Answer:
    return Answer(shown(_record(call)))


def replace_record(call: Call) -> Answer:
    """PUT: a field that is not sent gets its default (hampel/cloudflare-api, measured)."""
    old = _record(call)
    blank = Record(old.id, "", "", "", created_on=old.created_on, modified_on=timestamp(call.now()))
    return _changed(call, old, _record_from(call, blank))


def patch_record(call: Call) -> Answer:
    """PATCH: a field that is not sent is unchanged."""
    old = _record(call)
    return _changed(call, old, _record_from(call, replace(old, modified_on=timestamp(call.now()))))


def delete_record(call: Call) -> Answer:
    """Answers the id alone; a record that Email Routing has locked is refused (890190)."""
    record = _record(call)
    _refuse_locked(record)
    call.zone.records.remove(record)
    return Answer({"id": record.id})


def shown(record: Record) -> dict[str, Any]:
    priority = {} if record.priority is None else {"priority": record.priority}
    return {
        "id": record.id,
        "name": record.name,
        "type": record.type,
        "content": record.content,
        **priority,
        "proxiable": record.type in _PROXIABLE and not _is_private(record),
        "proxied": record.proxied,
        "ttl": record.ttl,
        "settings": {"flatten_cname": False} if record.type == "CNAME" else {},
        "meta": _meta(record),
        "comment": record.comment,
        "tags": record.tags,
        "created_on": record.created_on,
        "modified_on": record.modified_on,
    }


def _meta(record: Record) -> dict[str, bool]:
    if not record.managed:
        return {}
    meta = {"auto_added": False, "email_routing": True}
    return meta | ({"read_only": True} if record.locked else {})


def _is_private(record: Record) -> bool:
    """127.0.0.1 was recorded as not proxiable."""
    try:
        return not ipaddress.ip_address(record.content).is_global
    except ValueError:
        return False


def _fits(record: Record, query: dict[str, str]) -> bool:
    if query.get("type") and record.type != query["type"].upper():
        return False
    return all(_field_fits(getattr(record, field) or "", field, query) for field in ("name", "content", "comment"))


def _field_fits(value: str, field: str, query: dict[str, str]) -> bool:
    value = value.lower()
    exact = query.get(f"{field}.exact") or query.get(field)
    filters = {how: query.get(f"{field}.{how}", "").lower() for how in ("contains", "startswith", "endswith")}
    return (
        (not exact or value == exact.lower())
        and filters["contains"] in value
        and value.startswith(filters["startswith"])
        and value.endswith(filters["endswith"])
    )


def _record(call: Call) -> Record:
    for record in call.zone.records:
        if record.id == call.parts["record_id"]:
            return record
    raise Refusal(404, 81044, "Record does not exist.")


def _changed(call: Call, old: Record, new: Record) -> Answer:
    _refuse_locked(old)
    _refuse_identical(call.zone, new, 81057, "Record already exists.")
    call.zone.records[call.zone.records.index(old)] = new
    return Answer(shown(new))


def _record_from(call: Call, base: Record) -> Record:
    """*base* with the fields that were sent. Raises Refusal for an invalid record."""
    fields = {name: value for name, value in call.fields.items() if value is not None}
    record = replace(
        base,
        type=str(fields.get("type", base.type)).upper(),
        name=_absolute(fields.get("name", base.name), call.zone),
        content=str(fields.get("content", base.content)),
        ttl=fields.get("ttl", base.ttl),
        priority=fields.get("priority", base.priority),
        proxied=fields.get("proxied", base.proxied) is True,
        comment=fields.get("comment", base.comment),
        tags=fields.get("tags", base.tags),
    )
    _refuse_malformed(record)
    if record.type == "MX":
        record.content = record.content.rstrip(".") or "."
        if mail_records.is_managed_name(call.zone, record.name):
            raise Refusal(403, 890190, _MANAGED_MX)
    _refuse_beside_cname(call.zone, record)
    return record


def _absolute(name: Any, zone: Zone) -> str:
    """The full name: `@` is the apex, and a name outside the zone is one below it, as at the dashboard and the API."""
    plain = name.strip().lower().rstrip(".") if isinstance(name, str) else ""
    if plain in ("@", zone.name):
        return zone.name
    return plain if not plain or plain.endswith(f".{zone.name}") else f"{plain}.{zone.name}"


def _refuse_malformed(record: Record) -> None:
    """The texts inside the chain are from memory; clients should rely on 1004 and 9005 only."""
    if record.type not in _TYPES or not record.content or not _NAME.fullmatch(record.name):
        raise _invalid(9000, "DNS name, type or content is invalid.")
    if record.type in ("A", "AAAA"):
        version = 4 if record.type == "A" else 6
        if not _is_address(record.content, version):
            code = 9005 if version == 4 else 9006
            raise Refusal(400, code, f"Content for {record.type} record must be a valid IPv{version} address.")
    if not _is_whole_number(record.ttl) or not (record.ttl == 1 or 60 <= record.ttl <= 86400):
        raise _invalid(9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")
    if record.type == "MX" and not (_is_whole_number(record.priority) and 0 <= (record.priority or 0) <= 65535):
        raise _invalid(9100, "priority is a required field for MX records.")
    if not isinstance(record.comment, str | None) or not isinstance(record.tags, list):
        raise _invalid(9000, "comment or tags are invalid.")
    if record.comment is not None and len(record.comment) > 100:
        raise Refusal(400, 9101, "comment is too long")
    if record.tags:
        raise Refusal(400, 9300, "DNS record has tags exceeding the quota of 0")


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def _is_whole_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _refuse_identical(zone: Zone, new: Record, code: int, message: str) -> None:
    """81058 was recorded on create. Which calls answer 81057 is unknown; here those that change a record."""
    for record in zone.records:
        is_same = (record.type, record.name, record.content) == (new.type, new.name, new.content)
        if is_same and record.id != new.id:
            raise Refusal(400, code, message)


def _refuse_beside_cname(zone: Zone, new: Record) -> None:
    rows = [row for row in zone.records if row.name == new.name and row.id != new.id and row.type in _PROXIABLE]
    is_identical = any((row.type, row.content) == (new.type, new.content) for row in rows)
    conflicting = rows if new.type == "CNAME" else [row for row in rows if row.type == "CNAME"]
    if new.type in _PROXIABLE and conflicting and not is_identical:
        raise Refusal(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")


def _refuse_locked(record: Record) -> None:
    """Locked rows cannot be edited or deleted (docs); the number for it is that of a refused MX write."""
    if record.locked:
        raise Refusal(403, 890190, _MANAGED_MX)


def _invalid(code: int, message: str) -> Refusal:
    return Refusal(400, 1004, "DNS Validation Error", chain=[{"code": code, "message": message}])
