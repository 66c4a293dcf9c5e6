"""
The switches: behaviours that public sources disagree about or do not document, in one table.

Each field of `Switches` is one switch, its default the result of the newest measurement; `TABLE` is the same for
people, with meaning and source. `GET /_sandbox/switches` shows it, `PATCH` changes values.
"""

from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal

ZoneRefusalName = Literal["1049", "1093", "1097", "1099", "1104", "1105", "1110", "1118", "hold"]


def _switch(default: Any, meaning: str, source: str) -> Any:
    return field(default=default, metadata={"meaning": meaning, "source": source})


@dataclass
class Switches:
    """The current values."""

    patch_enables_email_routing: bool = _switch(
        False,
        "PATCH or PUT of Email Routing's `enabled` switches it on or off; else it answers success and does nothing",
        "documented and measured as a no-op (SDK 5.9.0, mailda 2026)",
    )
    catch_all_covers_subdomains: bool = _switch(
        False,
        "the catch-all receives mail for subdomains that were switched on",
        "docs of September 2026: apex only; cloudflare_temp_email's practice: covered",
    )
    wildcard_mx_receives: bool = _switch(
        False,
        "a wildcard MX record at Cloudflare's servers makes every subdomain receive",
        "one project's production: not by itself; cloudflare_temp_email (May 2026): yes",
    )
    managed_records_are_listed: bool = _switch(
        True,
        "the records Email Routing added are listed under /dns_records",
        "two clients: yes, marked read-only; mailda saw none, with a token that lacked the scope",
    )
    required_records_when_off: bool = _switch(
        True,
        "GET …/email/routing/dns tells the records of an active zone where Email Routing is off; else it is empty",
        "LinuxDoSpace: told; mailda assumes it may be empty",
    )
    unset_subdomain_lists_records: bool = _switch(
        False,
        "GET …/dns?subdomain= of a name never switched on has `records` beside `errors`",
        "mailda (measured 2026-09-26): no such key; a trimmed capture of LinuxDoSpace shows both",
    )
    pending_zones_take_rules: bool = _switch(
        True,
        "routing rules may be made in a pending zone, where nothing is delivered; else 403/2009",
        "one tool: made but not delivering; another: the catch-all needs an active zone",
    )
    rules_can_be_deleted_while_off: bool = _switch(
        True,
        "a routing rule may be deleted while Email Routing is off; else 409",
        "a comment in alchemy's tests says 409; nobody else does",
    )
    unknown_workers_are_refused: bool = _switch(
        False,
        "a rule that names a Worker nobody registered is refused with 404/2016",
        "Wrangler knows 2016 from /rules/plan; for POST /rules nothing is known",
    )
    per_page_above_50_is_honoured: bool = _switch(
        True,
        "a page may hold more than the documented 50 rows; else it holds 50",
        "docs: at most 50; recorded with 100 (dns-lexicon, August 2025)",
    )
    worker_throw_is_temporary: bool = _switch(
        True,
        "a Worker that throws makes the sender hear 421; else it is asked three times and the mail is rejected",
        "measured on a pilot in 2026: 421; community threads of 2025: failed 3 times, rejected",
    )
    duplicate_rule_status: Literal[400, 409, 422] = _switch(
        409, "HTTP status of 2014, a second rule for one address", "quoted nowhere; inferred"
    )
    activation_check_too_soon_status: Literal[400, 429] = _switch(
        400, "HTTP status of 1224, an activation check within the hour", "stubs of two clients: 400 and 429"
    )
    malformed_id_status: Literal[400, 404] = _switch(
        400, "HTTP status of 7003 for an identifier of the wrong shape", "hampel (measured 2026-09-12)"
    )
    unknown_route_status: Literal[400, 404] = _switch(
        404, "HTTP status of 7003 for a path there is none of", "mailda (measured 2026)"
    )
    rate_limit_code: Literal[971, 10100, 10429, 10500] = _switch(
        971,
        "the error code that a 429 carries",
        "971 in most reports since 2025; octodns: 10100; Wrangler: 10429",
    )
    account_tokens_may_route_email: bool = _switch(
        False, "account-owned tokens may use Email Routing", "open-connector PR 165 (July 2026): refused"
    )
    account_tokens_may_create_zones: bool = _switch(
        True, "account-owned tokens with Zone Write may create zones", "reports disagree"
    )
    oauth_tokens_may_enable: bool = _switch(
        True,
        "Wrangler's OAuth tokens may POST …/email/routing/enable, …/disable and …/unlock; else 405/10000",
        "refused in June 2025 (alchemy PR 314); Wrangler of August 2026 sends them",
    )
    fresh_token_blips: int = _switch(
        0,
        "how many calls a token minted from now on is refused with 403/10000 before it is known everywhere",
        "alchemy's tests try eight times from 500 ms on",
    )
    names_registered_at_cloudflare: list[str] = field(
        default_factory=list,
        metadata={
            "meaning": "zones of these names show `original_name_servers: null`",
            "source": "recorded (dns-lexicon, August 2025)",
        },
    )
    zone_refusals: dict[str, ZoneRefusalName] = field(
        default_factory=dict,
        metadata={
            "meaning": "names that cannot be added, and the code they are refused with",
            "source": "Cloudflare's page Cannot add domain",
        },
    )
    max_pending_zones: int | None = _switch(
        None, "how many zones may be pending at once; one more is refused with 1118", "code and text unconfirmed"
    )
    max_dns_records: int = _switch(200, "how many DNS records a zone holds", "docs: Free zones made since 2024-09-01")
    requests_per_window: int = _switch(
        1200, "calls in five minutes before everything is 429", "Cloudflare's page API limits (April 2026)"
    )


@dataclass(frozen=True)
class Switch:
    """A line of the table."""

    name: str
    default: Any
    meaning: str
    source: str


def _table() -> tuple[Switch, ...]:
    defaults = Switches()
    return tuple(Switch(each.name, getattr(defaults, each.name), **each.metadata) for each in fields(Switches))


TABLE: Final = _table()


def described(switches: Switches) -> dict[str, dict[str, Any]]:
    """Every switch by name: current value, default, meaning, source."""
    return {
        line.name: {
            "value": getattr(switches, line.name),
            "default": line.default,
            "meaning": line.meaning,
            "source": line.source,
        }
        for line in TABLE
    }
