"""
Many changes to DNS records in one call: `/zones/:id/dns_records/batch`.

API reference and docs "Batch record changes": deletes, then patches, then puts, then posts, in one database
transaction; the first error is the answer, and no change is applied.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from cloudflare_sandbox import dns
from cloudflare_sandbox.answers import UNKNOWN_CODE, Answer, Refusal
from cloudflare_sandbox.sandbox import Call

MAX_OPERATIONS: Final = 200  # Free plan, docs; the number of its refusal is unknown
_ORDER: Final[dict[str, Callable[[Call], Answer]]] = {
    "deletes": dns.delete_record,
    "patches": dns.patch_record,
    "puts": dns.replace_record,
    "posts": dns.create_record,
}


def change_records(call: Call) -> Answer:
    """The answer of each operation, by kind; of a delete the whole record before it."""
    batch = {kind: _operations(call, kind) for kind in _ORDER}
    if sum(map(len, batch.values())) > MAX_OPERATIONS:
        raise Refusal(400, UNKNOWN_CODE, "Too many operations in this batch")
    before = list(call.zone.records)
    try:
        results = {kind: [_apply(call, kind, each) for each in operations] for kind, operations in batch.items()}
    except Refusal:
        call.zone.records[:] = before
        raise
    return Answer(results)


def _operations(call: Call, kind: str) -> list[dict[str, Any]]:
    operations = call.fields.get(kind) or []
    if not isinstance(operations, list) or not all(isinstance(each, dict) for each in operations):
        raise Refusal(400, 1004, "DNS Validation Error", chain=[{"code": 9000, "message": f"{kind} is invalid."}])
    return operations


def _apply(call: Call, kind: str, operation: dict[str, Any]) -> dict[str, Any]:
    record_id = str(operation.get("id", ""))
    single = replace(call, fields=operation, parts={**call.parts, "record_id": record_id})
    if kind == "deletes":
        deleted = dns.read_record(single).result
        dns.delete_record(single)
        return dict(deleted)
    return dict(_ORDER[kind](single).result)
