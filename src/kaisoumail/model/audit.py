"""One line of the audit log: who did what to which target."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from kaisoumail.model.user import UNKNOWN_CLIENT, RequestClient, Viewer


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One line. *actor* is an e-mail address, or a source such as `command line`; *target* is a name that people know.
    *owner_id* is set when the target belongs to another user than the actor; *owner*, their e-mail address, is read
    when the line is written.

    Lines outlive the users and objects they name. Neither secrets nor content of messages may stand in *details*.
    """

    action: str
    at: datetime
    actor: str
    actor_id: str | None = None
    credential_id: str | None = None
    target_id: str | None = None
    target: str | None = None
    visit: RequestClient = UNKNOWN_CLIENT
    details: dict[str, Any] = field(default_factory=dict)
    seq: int = 0
    owner_id: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What an action is about: its *id*, a *name* that people know, and its owner where it has one."""

    id: str | None = None
    name: str | None = None
    owner_id: str | None = None


NO_TARGET: Final = Target()


def audit_entry(viewer: Viewer, action: str, now: datetime, target: Target = NO_TARGET, /, **details: Any) -> Entry:
    """The line for what *viewer* did at *now* to *target*."""
    return Entry(
        action=action,
        at=now,
        actor=viewer.user.email,
        actor_id=viewer.id,
        credential_id=viewer.key_id or viewer.session_id,
        target_id=target.id,
        target=target.name,
        visit=viewer.visit,
        details=details,
        owner_id=None if target.owner_id == viewer.id else target.owner_id,
    )
