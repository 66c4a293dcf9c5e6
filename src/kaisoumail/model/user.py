"""Users, and the viewer: the authenticated user of a request with their grant."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from kaisoumail.errors import Problem
from kaisoumail.model.access import EVERYTHING, Grant, Need, insufficient_scope
from kaisoumail.model.mailbox import Mailbox


class Role(StrEnum):
    ADMIN = "admin"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class User:
    id: str
    email: str
    name: str
    role: Role
    created_at: datetime
    updated_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RequestClient:
    """Where a request came from, as far as known: for lists of sessions, limits and the audit log."""

    address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None


UNKNOWN_CLIENT: Final = RequestClient()
WHOLE: Final = Grant()


@dataclass(frozen=True, slots=True)
class Viewer:
    """The authenticated user, the id of the credential they used (API key or session), and what it allows."""

    user: User
    key_id: str | None = None
    session_id: str | None = None
    visit: RequestClient = UNKNOWN_CLIENT
    grant: Grant = WHOLE

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def is_admin(self) -> bool:
        return self.user.role is Role.ADMIN

    def must_be_admin(self) -> None:
        """Raises Problem `admin_required` unless the viewer is an admin."""
        if not self.is_admin:
            raise Problem("admin_required", "Admin access required")

    def must_satisfy(self, need: Need) -> None:
        """Raises Problem `admin_required` or `insufficient_scope` when *need* is more than the viewer has."""
        if need.is_for_admins:
            self.must_be_admin()
        if need.scope is not None and not self.grant.allows(need.scope):
            raise insufficient_scope(need.scope)

    def must_hold_everything(self) -> None:
        """
        Raises Problem `insufficient_scope` unless the credential allows all that its owner may do, without an end.

        Required where a user or a credential gains rights that a narrower credential must not be able to give.
        """
        if not self.grant.covers(WHOLE):
            raise insufficient_scope(EVERYTHING)

    def may_see(self, owner_id: str) -> bool:
        """True for what the viewer owns, and for everything if the viewer is an admin."""
        return self.is_admin or self.user.id == owner_id

    def may_open(self, mailbox: Mailbox) -> bool:
        """True for a mailbox the viewer may see, if the credential is not bound to something else."""
        return self.may_see(mailbox.user_id) and self.grant.opens(mailbox)
