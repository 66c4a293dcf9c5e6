"""People, and who is asking."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kaisoumail.errors import Problem


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


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a request came from, as far as we know: for lists of sessions, limits and the audit log."""

    address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever asks: a user, and how they proved it (an API key id or a session id)."""

    user: User
    key_id: str | None = None
    session_id: str | None = None
    visit: Visit = Visit()

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

    def may_see(self, owner_id: str) -> bool:
        """True for what the viewer owns, and for everything if the viewer is an admin."""
        return self.is_admin or self.user.id == owner_id
