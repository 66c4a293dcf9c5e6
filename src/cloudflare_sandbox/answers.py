"""
Answers on the wire: the envelope, its key order, its headers.

Key order differs by product and is as recorded (dns-lexicon's cassettes of August 2025 for zones
and DNS; mailflare and Terraform reports for Email Routing and the edge's own errors).
"""

import math
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

import msgspec

# No public source has the number that a 201st rule, a 31st domain or a zone on hold is refused with. This one is
# ours, and unlike any of Cloudflare's, so that no client relies on it.
UNKNOWN_CODE: Final = 29999


class Product(Enum):
    """The product that answers: decides the order of keys, the content type and the rate limit headers."""

    EDGE = ("success", "errors", "messages", "result")
    TOKENS = ("result", "success", "errors", "messages")
    ZONES = ("result", "result_info", "success", "errors", "messages")
    DNS = ("result", "success", "errors", "messages", "result_info")
    EMAIL_ROUTING = ("success", "errors", "messages", "result", "result_info")
    WORKERS = EMAIL_ROUTING  # content type and limits recorded (flare-operator); the order of keys is not


_PLAIN_JSON: Final = (Product.TOKENS, Product.ZONES, Product.DNS)
_LIMIT_HEADERS: Final = [("ratelimit", '"default";r=1199;t=1'), ("ratelimit-policy", '"default";q=1200;w=300')]
_ZONE_LIST_LIMIT_HEADERS: Final = [
    ("ratelimit", '"list_zones";r=1200;t=1'),
    ("ratelimit-policy", '"list_zones";q=1201;w=300'),
]
# Recorded by dns-lexicon with a list of zones; assumed for the other answers about zones.
_ZONE_HEADERS: Final = [
    ("cache-control", "no-store, no-cache, must-revalidate, post-check=0, pre-check=0"),
    ("expires", "Sun, 25 Jan 1981 05:00:00 GMT"),
    ("pragma", "no-cache"),
    ("strict-transport-security", "max-age=31536000"),
    ("vary", "accept-encoding"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "SAMEORIGIN"),
]
# The counts of a list of zones, in the recorded order; DNS has another.
_ZONE_COUNTS: Final = ("page", "per_page", "total_pages", "count", "total_count")


@dataclass(frozen=True)
class Answer:
    """A successful result. Lists have *result_info*, the verification of a token has *messages*."""

    result: Any
    result_info: dict[str, int] | None = None
    messages: Sequence[dict[str, Any]] = ()


class Refusal(Exception):
    """An error envelope. With *edge* the router in front of the products answers it, in its own key order."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        more: Sequence[dict[str, Any]] = (),
        chain: Sequence[dict[str, Any]] = (),
        retry_after: int | None = None,
        edge: bool = False,
    ) -> None:
        super().__init__(status, code, message)
        first: dict[str, Any] = {"code": code, "message": message}
        if chain:
            first["error_chain"] = list(chain)
        self.status = status
        self.errors = [first, *more]
        self.retry_after = retry_after
        self.edge = edge


@dataclass(frozen=True)
class HttpAnswer:
    """Status, headers and body as they are sent."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)


def success(answer: Answer, product: Product) -> HttpAnswer:
    """*answer* in the envelope of *product*, with status 200."""
    info = answer.result_info
    if info is not None and product is Product.ZONES:
        info = {name: info[name] for name in _ZONE_COUNTS}
    values: dict[str, Any] = {
        "result": answer.result,
        "success": True,
        "errors": [],
        "messages": list(answer.messages),
        "result_info": info,
    }
    return _wire(200, values, product, is_list_of_zones=product is Product.ZONES and answer.result_info is not None)


def failure(refusal: Refusal, product: Product) -> HttpAnswer:
    """*refusal* in the envelope of *product*, or of the edge where that refuses, with its `retry-after`."""
    values = {"result": None, "success": False, "errors": refusal.errors, "messages": [], "result_info": None}
    wire = _wire(refusal.status, values, Product.EDGE if refusal.edge else product)
    if refusal.retry_after is not None:
        wire.headers.append(("retry-after", str(refusal.retry_after)))
    return wire


def _wire(status: int, values: dict[str, Any], product: Product, *, is_list_of_zones: bool = False) -> HttpAnswer:
    envelope = {key: values[key] for key in product.value if key != "result_info" or values[key] is not None}
    content_type = "application/json" if product in _PLAIN_JSON else "application/json; charset=UTF-8"
    headers = _limit_headers(product, is_list_of_zones) + _cache_headers(product)
    return HttpAnswer(status, msgspec.json.encode(envelope), content_type, headers)


def _cache_headers(product: Product) -> list[tuple[str, str]]:
    if product is Product.ZONES:
        return list(_ZONE_HEADERS)
    return [("vary", "Accept-Encoding")] if product is Product.DNS else []


def _limit_headers(product: Product, is_list_of_zones: bool) -> list[tuple[str, str]]:
    """
    The rate limit headers, which do not count down: 130 of 131 recorded answers have r=1199 (flare-operator,
    September 2026).

    A token's verification carries none (hampel/cloudflare-api, measured September 2026).
    """
    if product is Product.TOKENS:
        return []
    return list(_ZONE_LIST_LIMIT_HEADERS if is_list_of_zones else _LIMIT_HEADERS)


def every_answer_has(now: datetime) -> list[tuple[str, str]]:
    """The headers of every recorded answer, errors included."""
    return [
        ("cf-ray", f"{secrets.token_hex(8)}-NRT"),
        ("cf-cache-status", "DYNAMIC"),
        ("server", "cloudflare"),
        ("api-version", now.astimezone(UTC).strftime("%Y-%m-%d")),
        ("cf-auditlog-id", str(uuid7(now))),
    ]


def uuid7(now: datetime) -> uuid.UUID:
    """A version 7 UUID (RFC 9562): milliseconds since 1970, then random bits."""
    milliseconds = int(now.timestamp() * 1000)
    number = (milliseconds << 80) | (0x7 << 76) | (secrets.randbits(12) << 64) | (0b10 << 62) | secrets.randbits(62)
    return uuid.UUID(int=number)


def page_of(rows: Sequence[Any], query: dict[str, str], per_page: int, largest: int | None = None) -> Answer:
    """
    The page of *rows* that the query requests, with *per_page* rows unless it has another number.

    Past the end it is empty; `total_pages` is never 0 (recorded August 2025). Page sizes above the documented 50
    are used, as recorded with 100, unless there is a *largest*; an invalid number counts as missing.
    """
    page = _positive(query.get("page"), 1)
    size = _positive(query.get("per_page"), per_page)
    size = size if largest is None else min(size, largest)
    shown = list(rows[(page - 1) * size : page * size])
    info = {
        "page": page,
        "per_page": size,
        "count": len(shown),
        "total_count": len(rows),
        "total_pages": max(1, math.ceil(len(rows) / size)),
    }
    return Answer(shown, info)


def _positive(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0 else default
