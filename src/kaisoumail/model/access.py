"""
What a credential may do, and what a route asks of whoever calls it.

A scope is `noun:verb`. `write` includes `read`, `noun:*` is everything about the noun, `*` everything its owner may
do. A credential bound to one mailbox or domain opens nothing but mailboxes and messages there, whatever it says.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kaisoumail.errors import Problem
from kaisoumail.model.mailbox import Mailbox

NOUNS: Final = ("mailboxes", "messages", "domains", "users", "keys", "audit")
EVERYTHING: Final = "*"
SCOPES: Final = (EVERYTHING, *(f"{noun}:{verb}" for noun in NOUNS for verb in ("read", "write", "*")))
DEFAULT_SCOPES: Final = ("mailboxes:write", "messages:read")
_BINDABLE: Final = ("mailboxes", "messages")


@dataclass(frozen=True, slots=True)
class Grant:
    """What an API key, or a session made from one, was given; by default everything its owner may do."""

    scopes: tuple[str, ...] = (EVERYTHING,)
    mailbox_id: str | None = None
    domain_id: str | None = None
    expires_at: datetime | None = None

    @property
    def is_bound(self) -> bool:
        return self.mailbox_id is not None or self.domain_id is not None

    def allows(self, scope: str) -> bool:
        """Whether *scope*, such as `messages:read`, is among what was given."""
        noun, _, verb = scope.partition(":")
        if self.is_bound and noun not in _BINDABLE:
            return False
        enough = {EVERYTHING, scope, f"{noun}:*", f"{noun}:write" if verb in ("read", "*") else scope}
        return not enough.isdisjoint(self.scopes)

    def opens(self, mailbox: Mailbox) -> bool:
        """Whether what it is bound to, if anything, holds *mailbox*."""
        return self.mailbox_id in (None, mailbox.id) and self.domain_id in (None, mailbox.domain_id)

    def covers(self, other: "Grant") -> bool:
        """Whether *other* is no more than this: no scope, no place and no day beyond it."""
        lasts = self.expires_at is None or (other.expires_at is not None and other.expires_at <= self.expires_at)
        is_inside = self.mailbox_id in (None, other.mailbox_id) and self.domain_id in (None, other.domain_id)
        return lasts and is_inside and all(self._holds(scope) for scope in other.scopes)

    def _holds(self, scope: str) -> bool:
        return EVERYTHING in self.scopes if scope == EVERYTHING else self.allows(scope)


@dataclass(frozen=True, slots=True)
class Need:
    """What a route asks of whoever calls it: nothing, or to be signed in, by cookie, as an admin, with *scope*."""

    is_public: bool = False
    scope: str | None = None
    is_for_admins: bool = False
    is_by_cookie: bool = False


ANYBODY: Final = Need(is_public=True)
SIGNED_IN: Final = Need()
BY_COOKIE: Final = Need(is_by_cookie=True)


def may(scope: str) -> Need:
    """For whoever is signed in and holds *scope*."""
    return Need(scope=scope)


def admin(scope: str) -> Need:
    """For admins who hold *scope*."""
    return Need(scope=scope, is_for_admins=True)


def missing(scope: str) -> Problem:
    """The refusal of a credential that does not hold *scope*."""
    return Problem("insufficient_scope", f"This key may not do that: it lacks the scope {scope}", scope=scope)
