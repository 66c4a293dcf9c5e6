"""
The results of SPF, DKIM and DMARC that Cloudflare recorded in a message (RFC 8601).

Any sender can write an Authentication-Results field into a message. Cloudflare prepends its own to what it
receives, so only the topmost field can be genuine, and only if nothing precedes it but the trace fields that
Cloudflare adds itself. It also requires that the message came through Cloudflare, which the caller must know.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from kaisoumail.parsing.parsed_message import Header

Result = Literal["pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror"]

AUTHSERV_ID: Final = "mx.cloudflare.net"

_MAX_VALUE: Final = 8 * 1024
_RESULTS: Final = frozenset(("pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror"))
# The fields above Authentication-Results in a message from the Email Worker (recorded 2026-09).
_TRACE: Final = frozenset(
    ("received", "received-spf", "arc-seal", "arc-message-signature", "arc-authentication-results")
)
_COMMENT: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|(\((?:[^()\\]|\\.)*+\))', re.DOTALL)
_CLAUSE: Final = re.compile(r'(?:[^;"]++|"(?:[^"\\]|\\.)*+"?)++', re.DOTALL)
_METHOD: Final = re.compile(r"\s*([a-z-]{1,16})(?:/\d{1,3})?\s*=\s*([a-z]{1,16})(?![a-z-])", re.IGNORECASE)
_PROPERTY: Final = re.compile(r'([a-z]{1,16}\.[a-z-]{1,32})\s*=\s*("(?:[^"\\]|\\.)*+"|[^\s;"]++)', re.IGNORECASE)
_DOMAIN: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9])?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its *result* and the *domain* it is about (None if the field names none)."""

    result: Result
    domain: str | None


@dataclass(frozen=True, slots=True)
class Authentication:
    """The findings on one message; None for a check that was not made. *dmarc* is about the address in From."""

    spf: Finding | None
    dkim: Finding | None
    dmarc: Finding | None


def authentication_of(headers: Sequence[Header]) -> Authentication | None:
    """
    The results in Cloudflare's Authentication-Results field; None when there is no field that must be Cloudflare's.

    Of several SPF results, that of MAIL FROM is preferred to that of HELO. Of several DKIM results, one that passed for
    the domain of the From address is preferred, else one that passed, else the first.
    """
    value = _own_field(headers)
    if value is None:
        return None
    found = [each for each in map(_finding, _CLAUSE.findall(value)[1:]) if each is not None]
    dmarc = next((finding for method, _, finding in found if method == "dmarc"), None)
    spf = [(kind != "smtp.mailfrom", finding) for method, kind, finding in found if method == "spf"]
    dkim = [(_rank(finding, dmarc), finding) for method, _, finding in found if method == "dkim"]
    return Authentication(_least(spf), _least(dkim), dmarc)


def _own_field(headers: Sequence[Header]) -> str | None:
    """Cloudflare's own field, without its comments."""
    received = 0
    for header in headers:
        if header.key == "authentication-results":
            value = _without_comments(header.value)
            named = (value or "").split(";", 1)[0].split()
            return value if named[:1] == [AUTHSERV_ID] else None
        received += header.key == "received"
        if header.key not in _TRACE or received > 1:
            return None
    return None


def _finding(clause: str) -> tuple[str, str, Finding] | None:
    method = _METHOD.match(clause)
    if method is None or method[2].lower() not in _RESULTS:
        return None
    properties = {name.lower(): value.strip('"') for name, value in _PROPERTY.findall(clause[method.end() :])}
    kinds = {"spf": ("smtp.mailfrom", "smtp.helo"), "dkim": ("header.d", "header.i"), "dmarc": ("header.from",)}
    for kind in kinds.get(method[1].lower(), ()):
        if kind in properties:
            return method[1].lower(), kind, Finding(_result(method[2]), _domain(properties[kind]))
    return method[1].lower(), "", Finding(_result(method[2]), None)


def _result(word: str) -> Result:
    lowered: Result = word.lower()  # type: ignore[assignment]  # checked against `_RESULTS` by the caller
    return lowered


def _domain(address: str) -> str | None:
    found = _DOMAIN.fullmatch(address.rpartition("@")[2])
    return found[0].lower() if found else None


def _rank(finding: Finding, dmarc: Finding | None) -> int:
    if finding.result != "pass":
        return 2
    return 0 if dmarc is not None and finding.domain == dmarc.domain else 1


def _least(ranked: "list[tuple[int, Finding]] | list[tuple[bool, Finding]]") -> Finding | None:
    return min(ranked, key=lambda each: each[0])[1] if ranked else None


def _without_comments(value: str) -> str | None:
    """
    *value* without its comments; None if it is unclear where they end.

    One of them contains the sender's MAIL FROM. Only if quoted can that contain text which ends the comment early and
    begins a forged result, so a comment with quotes or backslashes is refused.
    """
    if len(value) > _MAX_VALUE or any(
        '"' in found[1] or "\\" in found[1] for found in _COMMENT.finditer(value) if found[1]
    ):
        return None
    bare = _COMMENT.sub(lambda found: " " if found[1] else found[0], value)
    return None if "(" in bare or ")" in bare else bare
