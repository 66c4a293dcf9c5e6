"""Lookups in public DNS of the name servers of pending domains."""

from asyncio import gather
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from kaisoumail.model.clock import iso
from kaisoumail.model.delegation import Delegation, DnsAnswer
from kaisoumail.model.domain import CatalogEntry
from kaisoumail.storage.tables import key_values
from kaisoumail.workflows.context import Context

_KEY: Final = "public_dns"
_FRESH: Final = timedelta(seconds=20)
MOST_ASKED: Final = 32  # further ones are looked up when these are no longer pending


async def delegations_of(context: Context, entries: Sequence[CatalogEntry]) -> dict[str, Delegation]:
    """
    The resolver's answer for each apex in *entries* whose zone is pending, by name; empty without a resolver.

    The queries run together, each with a short timeout. The answers are stored for 20 seconds, a missing answer too:
    a page that polls waits only once for a resolver that does not answer.
    """
    names = [entry.root_domain for entry in entries if entry.zone_status == "pending"][:MOST_ASKED]
    if context.resolver is None or not names:
        return {}
    known = await _fresh_answers(context)
    if known.keys() >= set(names):
        return {name: known[name] for name in names}
    answers = await gather(*map(context.resolver.delegation_of, names))
    found = dict(zip(names, answers, strict=True))
    rows = {name: _row(delegation) for name, delegation in found.items()}
    await context.database.write(partial(key_values.put, key=_KEY, value=rows))
    return found


async def _fresh_answers(context: Context) -> dict[str, Delegation]:
    known = await context.database.read(partial(key_values.find_timed, key=_KEY))
    if known is None or known.clock_went_back or known.now - known.at > _FRESH:
        return {}
    return {name: _delegation(row) for name, row in known.value.items()}


def _row(delegation: Delegation) -> dict[str, Any]:
    return {
        "answer": delegation.answer.value,
        "name_servers": list(delegation.name_servers),
        "asked_at": iso(delegation.asked_at),
    }


def _delegation(row: dict[str, Any]) -> Delegation:
    asked_at = datetime.fromisoformat(row["asked_at"])
    return Delegation(DnsAnswer(row["answer"]), tuple(row["name_servers"]), asked_at)
