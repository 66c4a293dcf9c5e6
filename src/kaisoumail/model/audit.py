"""Who did what to what: one line of the audit log."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kaisoumail.model.user import UNKNOWN_CLIENT, RequestClient, Viewer


@dataclass(frozen=True, slots=True)
class Entry:
    """
    *actor* is an e-mail address, or `command line` and the like; *target* a name people know the thing by. Who acted on
    what is somebody else's did so for its *owner*, whose e-mail address is read as the line is written.

    Rows outlive the people and things they name. Neither secrets nor mail content may stand in *details*.
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


def did(
    viewer: Viewer,
    action: str,
    now: datetime,
    target_id: str | None = None,
    target: str | None = None,
    *,
    owner_id: str | None = None,
    **details: Any,
) -> Entry:
    """*viewer* did *action* at *now*, to something of *owner_id*'s where things have owners."""
    return Entry(
        action=action,
        at=now,
        actor=viewer.user.email,
        actor_id=viewer.id,
        credential_id=viewer.key_id or viewer.session_id,
        target_id=target_id,
        target=target,
        visit=viewer.visit,
        details=details,
        owner_id=None if owner_id == viewer.id else owner_id,
    )
