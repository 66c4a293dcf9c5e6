"""
The DNS records that Email Routing requires at a name, which of them are missing, and which others conflict.

Shapes: MX content ends with a dot and TXT content is in quotes (recorded by LinuxDoSpace, March 2026);
priorities are random per name and stay (mailda saw 96/75/44, 25/34/12); a subdomain has no DKIM row.
Error codes: Cloudflare OpenAPI, `email_sending_subdomain_config_error`.
"""

import hashlib
from typing import Any, Final

from cloudflare_sandbox.state import Record, Subdomain, Zone, new_id

_SERVERS: Final = tuple(f"route{number}.mx.cloudflare.net" for number in (1, 2, 3))
_OWN_SUFFIX: Final = ".mx.cloudflare.net"
_SPF_INCLUDE: Final = "include:_spf.mx.cloudflare.net"
_SPF: Final = f"v=spf1 {_SPF_INCLUDE} ~all"
_SELECTOR: Final = "cf2024-1._domainkey"

Shown = dict[str, Any]


def required(zone: Zone, name: str) -> list[Shown]:
    """The records *name* needs, in the shape of `GET …/email/routing/dns`."""
    rows: list[Shown] = [
        {"name": name, "content": f"{server}.", "type": "MX", "priority": priority, "ttl": 1}
        for server, priority in zip(_SERVERS, _priorities(zone, name), strict=True)
    ]
    rows.append({"name": name, "content": _quoted(_SPF), "type": "TXT", "ttl": 1})
    if name == zone.name:
        dkim = f"v=DKIM1; h=sha256; k=rsa; p={zone.routing.dkim_key}"
        rows.append({"name": f"{_SELECTOR}.{name}", "content": _quoted(dkim), "type": "TXT", "ttl": 1})
    return rows


def add(zone: Zone, name: str, now: str) -> None:
    """
    Add the records that *name* lacks, and lock them.

    A foreign SPF record is not changed and none is added beside it (a zone with `v=spf1 -all` ended with
    spf.foreign and spf.missing, measured in 2026).
    """
    has_spf = any(True for _ in _spf_rows(zone, name))
    for row in required(zone, name):
        content = str(row["content"]).removesuffix(".") if row["type"] == "MX" else str(row["content"])
        existing = _find(zone, row["type"], row["name"], content)
        if existing is not None:
            existing.managed = existing.locked = True
        elif not (has_spf and content == _quoted(_SPF)):
            record = Record(new_id(), row["type"], row["name"], content, created_on=now, modified_on=now)
            record.priority, record.managed, record.locked = row.get("priority"), True, True
            zone.records.append(record)


def remove(zone: Zone, name: str) -> None:
    """Remove what Email Routing added for *name*, locked or not."""
    names = (name, f"{_SELECTOR}.{name}")
    zone.records[:] = [record for record in zone.records if not (record.managed and record.name in names)]


def unlock(zone: Zone, name: str) -> None:
    """Let the records that Email Routing added for *name* be edited."""
    names = (name, f"{_SELECTOR}.{name}")
    for record in zone.records:
        if record.managed and record.name in names:
            record.locked = False


def foreign_mx(zone: Zone, name: str) -> list[Record]:
    """Mail servers at *name* that are not Cloudflare's; a null MX counts."""
    rows = (record for record in zone.records if record.type == "MX" and record.name == name)
    return [record for record in rows if not record.content.lower().rstrip(".").endswith(_OWN_SUFFIX)]


def faults(zone: Zone, name: str) -> list[Shown]:
    """What prevents *name* from being ready, in the shape of `errors`; empty when it is ready."""
    found: list[Shown] = [{"code": "mx.foreign", "existing": _shown(row)} for row in foreign_mx(zone, name)]
    servers = [row for row in required(zone, name) if row["type"] == "MX"]
    missing = [row for row in servers if _find(zone, "MX", name, row["content"]) is None]
    found += [{"code": "mx.missing", "missing": row} for row in missing]
    return found + _spf_faults(zone, name) + _dkim_faults(zone, name)


def is_managed_name(zone: Zone, name: str) -> bool:
    """Whether Email Routing has the MX records of *name* locked."""
    routing = zone.routing
    if name == zone.name:
        return routing.enabled and not routing.unlocked
    return any(subdomain.name == name and not subdomain.unlocked for subdomain in routing.subdomains)


def has_wildcard_mx(zone: Zone) -> bool:
    """Whether a wildcard MX below the apex exists, and all of them are Cloudflare's."""
    rows = [record for record in zone.records if record.type == "MX" and record.name == f"*.{zone.name}"]
    return bool(rows) and all(row.content.lower().rstrip(".").endswith(_OWN_SUFFIX) for row in rows)


def find_subdomain(zone: Zone, name: str) -> Subdomain | None:
    return next((subdomain for subdomain in zone.routing.subdomains if subdomain.name == name), None)


def _spf_faults(zone: Zone, name: str) -> list[Shown]:
    rows = list(_spf_rows(zone, name))
    own = [row for row in rows if _SPF_INCLUDE in row.content]
    found: list[Shown] = [{"code": "spf.foreign", "existing": _shown(row)} for row in rows if row not in own]
    if not own:
        found.append({"code": "spf.missing", "missing": next(r for r in required(zone, name) if r["type"] == "TXT")})
    if len(own) > 1:
        found.append({"code": "spf.multiple", "multiple": [_shown(row) for row in own]})
    return found


def _dkim_faults(zone: Zone, name: str) -> list[Shown]:
    keys = [row for row in required(zone, name) if row["name"].startswith(_SELECTOR)]
    missing = [row for row in keys if _find(zone, "TXT", row["name"], row["content"]) is None]
    return [{"code": "dkim.missing", "missing": row} for row in missing]


def _spf_rows(zone: Zone, name: str) -> list[Record]:
    rows = (record for record in zone.records if record.type == "TXT" and record.name == name)
    return [record for record in rows if record.content.strip('"').lower().startswith("v=spf1")]


def _find(zone: Zone, kind: str, name: str, content: str) -> Record | None:
    plain = _plain(content)
    rows = (record for record in zone.records if record.type == kind and record.name == name)
    return next((record for record in rows if _plain(record.content) == plain), None)


def _plain(content: str) -> str:
    return content.lower().strip('"').rstrip(".")


def _shown(record: Record) -> Shown:
    content = f"{record.content.rstrip('.')}." if record.type == "MX" else _quoted(record.content.strip('"'))
    row: Shown = {"name": record.name, "content": content, "type": record.type}
    return row | ({} if record.priority is None else {"priority": record.priority}) | {"ttl": record.ttl}


def _quoted(text: str) -> str:
    return f'"{text}"'


def _priorities(zone: Zone, name: str) -> list[int]:
    """Three different numbers from 1 to 99 that look random and are always the same for *name*."""
    priorities: list[int] = []
    for byte in hashlib.sha512(f"{zone.id}/{name}".encode()).digest():
        number = byte % 99 + 1
        if number not in priorities:
            priorities.append(number)
    return priorities[: len(_SERVERS)]
