"""
Passkeys: registering them, signing in with them, and taking them away.

Each ceremony has two steps. The first gives the browser a challenge and a cookie; the second looks at the answer.
A challenge is good for one answer. That of a registration is kept in the database until then. That of a sign-in, which
anybody may begin, is in its cookie, signed, and what is kept is that it was answered.
"""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from kaisoumail.auth import passkeys as ceremonies
from kaisoumail.auth import sessions as tokens
from kaisoumail.auth.challenge_tokens import challenge_token, find_challenge
from kaisoumail.auth.relying_party import RelyingParty, relying_party
from kaisoumail.errors import Problem
from kaisoumail.model.audit import did
from kaisoumail.model.ids import new_id
from kaisoumail.model.passkey import CHALLENGE_LIFETIME, Challenge, Passkey, passkey_name
from kaisoumail.model.user import RequestClient, Viewer
from kaisoumail.operations.sign_in import NewSession, start_session
from kaisoumail.storage.engine.database_clock import database_now
from kaisoumail.storage.tables import audit, challenges, passkeys, sessions
from kaisoumail.workflows.context import Context


@dataclass(frozen=True, slots=True)
class PasskeyOptions:
    """What to ask the browser, as JSON, and the cookie token that names the challenge in it."""

    options: dict[str, Any]
    token: str


async def list_passkeys(context: Context, viewer: Viewer) -> list[Passkey]:
    """The viewer's own passkeys, revoked ones too, the newest first."""
    return await context.database.read(lambda connection: passkeys.owned_by(connection, viewer.id))


async def start_registration(context: Context, viewer: Viewer, name: str, origin: str | None) -> PasskeyOptions:
    """
    What a browser at *origin* needs to make a passkey, to be called *name*, for the viewer.

    Raises Problem `invalid_request`, `passkey_not_configured`, `passkey_origin_not_allowed`, or
    `insufficient_scope` to a session from a key that may not do everything, for ever: a passkey may.
    """
    viewer.must_hold_everything()
    name = passkey_name(name)
    party = _party_for(context, origin)
    known = [passkey for passkey in await list_passkeys(context, viewer) if passkey.is_live]
    challenge = ceremonies.new_challenge()
    token = await _keep(context, challenge, viewer.id, name)
    return PasskeyOptions(ceremonies.registration_options(party, viewer.user, known, challenge), token)


async def finish_registration(context: Context, viewer: Viewer, token: str | None, response: dict[str, Any]) -> Passkey:
    """
    The new passkey that *response* proves.

    Raises Problem `passkey_challenge_missing` (also for one that somebody else asked for),
    `passkey_registration_failed`, `passkey_exists`, or `insufficient_scope` as when it began.
    """
    viewer.must_hold_everything()
    party = relying_party(context.policy.trusted_origins)
    challenge = await _take_challenge(context, token)
    if challenge.user_id != viewer.id or challenge.name is None:
        raise _no_challenge()
    made = ceremonies.new_credential(party, response, challenge.challenge)
    passkey = Passkey(
        id=new_id("psk"),
        user_id=viewer.id,
        name=challenge.name,
        credential_id=made.credential_id,
        public_key=made.public_key,
        counter=made.counter,
        device_type=made.device_type,
        backed_up=made.backed_up,
        transports=made.transports,
        created_at=context.clock(),
    )

    def add(connection: Connection) -> None:
        if not passkeys.add(connection, passkey):
            raise Problem("passkey_exists", "Passkey already registered")
        audit.add(connection, did(viewer, "passkey.create", passkey.created_at, passkey.id, passkey.name))

    await context.database.write(add)
    return passkey


async def start_sign_in(context: Context, origin: str | None) -> PasskeyOptions:
    """
    What a browser at *origin* needs to sign in with any passkey of ours.

    Raises Problem `passkey_not_configured` or `passkey_origin_not_allowed`.
    """
    party = _party_for(context, origin)
    challenge = ceremonies.new_challenge()
    until = await context.database.read_inline(database_now) + CHALLENGE_LIFETIME
    token = challenge_token(context.policy.session_secret, challenge, until)
    return PasskeyOptions(ceremonies.authentication_options(party, challenge), token)


async def finish_sign_in(
    context: Context, token: str | None, response: dict[str, Any], visit: RequestClient
) -> NewSession:
    """
    A new session for whoever *response* proves to hold a passkey.

    Raises Problem `passkey_challenge_missing` or `invalid_passkey`.
    """
    party = relying_party(context.policy.trusted_origins)
    now = await context.database.read_inline(database_now)
    challenge = find_challenge(token or "", context.policy.session_secret, now)
    if challenge is None:
        raise _no_challenge()
    assertion = ceremonies.assertion_in(response)
    found = await context.database.read(lambda connection: passkeys.find_live(connection, assertion.credential_id))
    if found is None:
        raise _invalid_passkey()
    passkey, user = found
    await _use_up(context, challenge)
    seen = ceremonies.verified_use(party, passkey, assertion, challenge)
    used = replace(passkey, counter=seen.counter, device_type=seen.device_type, backed_up=seen.backed_up)
    used_at = context.clock()
    if not await context.database.write(lambda connection: passkeys.note_use(connection, used, used_at)):
        raise _invalid_passkey()
    return await start_session(context, Viewer(user, visit=visit), passkey.id)


async def rename_passkey(context: Context, viewer: Viewer, passkey_id: str, name: str) -> Passkey:
    """The viewer's passkey, now called *name*. Raises Problem `invalid_request` or `passkey_not_found`."""
    name, now = passkey_name(name), context.clock()

    def rename(connection: Connection) -> Passkey:
        passkey = passkeys.find(connection, passkey_id)
        if passkey is None or passkey.user_id != viewer.id:
            raise _not_found()
        passkeys.rename(connection, passkey_id, name)
        audit.add(connection, did(viewer, "passkey.rename", now, passkey_id, passkey.name, name=name))
        return replace(passkey, name=name)

    return await context.database.write(rename)


async def revoke_passkey(context: Context, viewer: Viewer, passkey_id: str) -> None:
    """
    Refuse the viewer's passkey from now on, and end the sessions it began.

    Done again it changes nothing. Raises Problem `passkey_not_found`, or `forbidden` for somebody else's,
    which not even an admin may revoke.
    """
    now = context.clock()

    def revoke(connection: Connection) -> None:
        passkey = passkeys.find(connection, passkey_id)
        if passkey is None:
            raise _not_found()
        if passkey.user_id != viewer.id:
            raise Problem("forbidden", "Forbidden")
        if passkeys.revoke(connection, passkey_id, now):
            sessions.end_those_of(connection, passkey_id=passkey_id)
            audit.add(connection, did(viewer, "passkey.revoke", now, passkey_id, passkey.name))

    await context.database.write(revoke)


def _party_for(context: Context, origin: str | None) -> RelyingParty:
    party = relying_party(context.policy.trusted_origins)
    party.must_know(origin)
    return party


async def _keep(context: Context, challenge: bytes, user_id: str, name: str) -> str:
    """The token of a fresh cookie; the database keeps what it stands for, and only a hash of it."""
    token = tokens.new_token()
    kept = Challenge(_id(context, token), "registration", challenge, user_id, name)
    await context.database.write(lambda connection: challenges.add(connection, kept))
    return token


async def _take_challenge(context: Context, token: str | None) -> Challenge:
    if token is None:
        raise _no_challenge()
    challenge_id = _id(context, token)
    taken = await context.database.write(lambda connection: challenges.take(connection, challenge_id, "registration"))
    if taken is None:
        raise _no_challenge()
    return taken


async def _use_up(context: Context, challenge: bytes) -> None:
    """Note that *challenge* is answered. Raises Problem `passkey_challenge_missing` if it was before."""
    used = Challenge(challenge.hex(), "authentication", challenge)
    if not await context.database.write(lambda connection: challenges.use_up(connection, used)):
        raise _no_challenge()


def _id(context: Context, token: str) -> str:
    return tokens.hash_of(token, context.policy.session_secret, "passkey registration")


def _no_challenge() -> Problem:
    return Problem("passkey_challenge_missing", "Passkey challenge is missing or expired")


def _not_found() -> Problem:
    return Problem("passkey_not_found", "Passkey not found")


def _invalid_passkey() -> Problem:
    return Problem("invalid_passkey", "Invalid passkey")
