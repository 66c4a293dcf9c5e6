"""
What a credential allows (`Grant`), and what a route requires (`Need`).

A scope is `noun:verb`. `write` includes `read`, `noun:*` is everything about the noun, `*` everything the owner of the
credential may do. A credential bound to one mailbox or domain reaches only mailboxes and messages there, whatever its
scopes are.
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
    """What an API key, or a session made from one, allows; by default everything its owner may do."""

    scopes: tuple[str, ...] = (EVERYTHING,)
    mailbox_id: str | None = None
    domain_id: str | None = None
    expires_at: datetime | None = None

    @property
    def is_bound(self) -> bool:
        return self.mailbox_id is not None or self.domain_id is not None

    def allows(self, scope: str) -> bool:
        """Whether the grant includes *scope*, such as `messages:read`."""
        noun, _, verb = scope.partition(":")
        if self.is_bound and noun not in _BINDABLE:
            return False
        sufficient = {EVERYTHING, scope, f"{noun}:*", f"{noun}:write" if verb in ("read", "*") else scope}
        return not sufficient.isdisjoint(self.scopes)

    def opens(self, mailbox: Mailbox) -> bool:
        """Whether *mailbox* is, or is in, what the grant is bound to; True for a grant that is not bound."""
        return self.mailbox_id in (None, mailbox.id) and self.domain_id in (None, mailbox.domain_id)

    def covers(self, other: "Grant") -> bool:
        """Whether *other* allows no more than this grant: in scopes, in what it is bound to, and in time."""
        ends_in_time = self.expires_at is None or (other.expires_at is not None and other.expires_at <= self.expires_at)
        is_inside = self.mailbox_id in (None, other.mailbox_id) and self.domain_id in (None, other.domain_id)
        return ends_in_time and is_inside and all(self._holds(scope) for scope in other.scopes)

    def _holds(self, scope: str) -> bool:
        return EVERYTHING in self.scopes if scope == EVERYTHING else self.allows(scope)


@dataclass(frozen=True, slots=True)
class Need:
    """What a route requires: nothing, or an authenticated caller: with *scope*, as an admin, by cookie."""

    is_public: bool = False
    scope: str | None = None
    is_for_admins: bool = False
    is_by_cookie: bool = False


PUBLIC: Final = Need(is_public=True)
SIGNED_IN: Final = Need()


def may(scope: str) -> Need:
    """The need of a caller whose credential includes *scope*."""
    return Need(scope=scope)


def by_cookie(scope: str) -> Need:
    """The need of a caller with a browser session that includes *scope*; an API key is refused."""
    return Need(scope=scope, is_by_cookie=True)


def admin(scope: str) -> Need:
    """The need of an admin whose credential includes *scope*."""
    return Need(scope=scope, is_for_admins=True)


def insufficient_scope(scope: str) -> Problem:
    """The refusal of a credential that lacks *scope*."""
    return Problem("insufficient_scope", f"The credential lacks the scope {scope}", scope=scope)
