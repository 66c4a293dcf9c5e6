"""`/api/sessions`: the viewer's sessions."""

from litestar import Response, delete, get, post

from kaisoumail.api.shapes import Instant, Shape
from kaisoumail.auth.sessions import cookie_header
from kaisoumail.model.clock import iso
from kaisoumail.model.credential import Session
from kaisoumail.model.user import Viewer
from kaisoumail.operations import sign_in
from kaisoumail.operations.context import Context


class SessionOnADeviceShape(Shape):
    """A session of a browser: *is_current* for that of the request; *key_id* or *passkey_id* is what began it."""

    id: str
    created_at: Instant
    last_seen_at: Instant
    expires_at: Instant
    user_agent: str | None
    address: str | None
    key_id: str | None
    passkey_id: str | None
    is_current: bool


class SessionListShape(Shape):
    sessions: list[SessionOnADeviceShape]


class EndedSessionsShape(Shape):
    ended: int


@get("/api/sessions")
async def list_sessions(viewer: Viewer, context: Context) -> SessionListShape:
    sessions = await sign_in.list_sessions(context, viewer)
    return SessionListShape(sessions=[_shape(session, viewer) for session in sessions])


@delete("/api/sessions/{session_id:str}", status_code=204)
async def end_session(session_id: str, viewer: Viewer, context: Context) -> None:
    await sign_in.end_session(context, viewer, session_id)


@post("/api/sessions/end-all", status_code=200)
async def end_all_sessions(viewer: Viewer, context: Context) -> Response[EndedSessionsShape]:
    """How many sessions were ended; the cookie of this browser is removed."""
    number = await sign_in.end_all_sessions(context, viewer)
    return Response(
        EndedSessionsShape(ended=number),
        headers={"set-cookie": cookie_header("", 0, secure=context.policy.cookies_are_secure)},
    )


def _shape(session: Session, viewer: Viewer) -> SessionOnADeviceShape:
    return SessionOnADeviceShape(
        id=session.id,
        created_at=iso(session.created_at),
        last_seen_at=iso(session.last_seen_at or session.created_at),
        expires_at=iso(session.expires_at),
        user_agent=session.user_agent,
        address=session.address,
        key_id=session.key_id,
        passkey_id=session.passkey_id,
        is_current=session.id == viewer.session_id,
    )
