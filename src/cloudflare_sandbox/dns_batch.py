"""
Many changes to DNS records in one call: `/zones/:id/dns_records/batch`.

API reference and docs "Batch record changes": deletes, then patches, then puts, then posts, in one database
transaction; the first error is the answer and nothing has happened.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from cloudflare_sandbox import dns
from cloudflare_sandbox.answers import UNKNOWN_CODE, Answer, Refusal
from cloudflare_sandbox.sandbox import Call

MAX_OPERATIONS: Final = 200  # Free plan, docs; the number it is refused with is not told
_ORDER: Final[dict[str, Callable[[Call], Answer]]] = {
    "deletes": dns.delete_record,
    "patches": dns.patch_record,
    "puts": dns.replace_record,
    "posts": dns.create_record,
}


def change_records(call: Call) -> Answer:
    """What each operation answers, by kind; of a deleted record the whole record as it was."""
    wanted = {kind: _operations(call, kind) for kind in _ORDER}
    if sum(map(len, wanted.values())) > MAX_OPERATIONS:
        raise Refusal(400, UNKNOWN_CODE, "Too many operations in this batch")
    before = list(call.zone.records)
    try:
        done = {kind: [_done(call, kind, one) for one in operations] for kind, operations in wanted.items()}
    except Refusal:
        call.zone.records[:] = before
        raise
    return Answer(done)


def _operations(call: Call, kind: str) -> list[dict[str, Any]]:
    given = call.fields.get(kind) or []
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise Refusal(400, 1004, "DNS Validation Error", chain=[{"code": 9000, "message": f"{kind} is invalid."}])
    return given


def _done(call: Call, kind: str, operation: dict[str, Any]) -> dict[str, Any]:
    record_id = str(operation.get("id", ""))
    one = replace(call, fields=operation, parts={**call.parts, "record_id": record_id})
    if kind == "deletes":
        was = dns.read_record(one).result
        dns.delete_record(one)
        return dict(was)
    return dict(_ORDER[kind](one).result)
