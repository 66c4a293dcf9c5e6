"""
Passkeys: registering, using, renaming and revoking them.

Each ceremony has two steps. The first gives the browser a challenge and a cookie; the second verifies the response.
A challenge is valid for one response. That of a registration is stored in the database until then. That of a sign-in,
which any client may begin, is in its cookie, signed, and only the fact that it was answered is stored.
"""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from kaisoumail.auth import passkeys as ceremonies
from kaisoumail.auth import sessions as tokens
from kaisoumail.auth.challenge_tokens import challenge_token, find_challenge
from kaisoumail.auth.relying_party import RelyingParty, relying_party
from kaisoumail.errors import Problem
from kaisoumail.model.audit import Target, audit_entry
from kaisoumail.model.ids import new_id
from kaisoumail.model.passkey import CHALLENGE_LIFETIME, Challenge, Passkey, passkey_name
from kaisoumail.model.user import RequestClient, Viewer
from kaisoumail.operations.sign_in import NewSession, start_session
from kaisoumail.storage.engine.database import write_or_raise
from kaisoumail.storage.engine.database_clock import database_now
from kaisoumail.storage.tables import audit, challenges, passkeys, sessions
from kaisoumail.workflows.context import Context


@dataclass(frozen=True, slots=True)
class PasskeyOptions:
    """The WebAuthn options for the browser, as JSON, and the cookie token that identifies their challenge."""

    options: dict[str, Any]
    token: str


async def list_passkeys(context: Context, viewer: Viewer) -> list[Passkey]:
    """The viewer's own passkeys, revoked ones too, the newest first."""
    return await context.database.read(lambda connection: passkeys.owned_by(connection, viewer.id))


async def start_registration(context: Context, viewer: Viewer, name: str, origin: str | None) -> PasskeyOptions:
    """
    The options for a browser at *origin* to create a passkey called *name* for the viewer.

    Raises Problem `invalid_request`, `passkey_not_configured`, `passkey_origin_not_allowed`, or
    `insufficient_scope` for a session from a key with narrower rights or an end: a passkey has neither.
    """
    viewer.must_hold_everything()
    name = passkey_name(name)
    party = _party_for(context, origin)
    known = [passkey for passkey in await list_passkeys(context, viewer) if passkey.is_live]
    challenge = ceremonies.new_challenge()
    token = await _store_challenge(context, challenge, viewer.id, name)
    return PasskeyOptions(ceremonies.registration_options(party, viewer.user, known, challenge), token)


async def finish_registration(context: Context, viewer: Viewer, token: str | None, response: dict[str, Any]) -> Passkey:
    """
    The new passkey that *response* proves.

    Raises Problem `passkey_challenge_missing` (also for a challenge of another user),
    `passkey_registration_failed`, `passkey_exists`, `passkey_not_configured`, or `insufficient_scope` as
    `start_registration` does.
    """
    viewer.must_hold_everything()
    party = relying_party(context.policy.trusted_origins)
    challenge = await _take_challenge(context, token)
    if challenge.user_id != viewer.id or challenge.name is None:
        raise _no_challenge()
    credential = ceremonies.new_credential(party, response, challenge.challenge)
    passkey = Passkey(
        id=new_id("psk"),
        user_id=viewer.id,
        name=challenge.name,
        credential_id=credential.credential_id,
        public_key=credential.public_key,
        counter=credential.counter,
        device_type=credential.device_type,
        backed_up=credential.backed_up,
        transports=credential.transports,
        created_at=context.clock(),
    )

    def add(connection: Connection) -> Problem | None:
        if not passkeys.add(connection, passkey):
            return Problem("passkey_exists", "Passkey already registered")
        audit.add(
            connection, audit_entry(viewer, "passkey.create", passkey.created_at, Target(passkey.id, passkey.name))
        )
        return None

    await write_or_raise(context.database, add)
    return passkey


async def start_sign_in(context: Context, origin: str | None) -> PasskeyOptions:
    """
    The options for a browser at *origin* to sign in with any passkey of ours.

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
    A new session for the owner of the passkey that *response* proves.

    Raises Problem `passkey_not_configured`, `passkey_challenge_missing`, `invalid_passkey`, or
    `authentication_required` for an owner who was disabled or removed meanwhile.
    """
    party = relying_party(context.policy.trusted_origins)
    now = await context.database.read_inline(database_now)
    challenge = find_challenge(token or "", context.policy.secrets, now)
    if challenge is None:
        raise _no_challenge()
    assertion = ceremonies.assertion_in(response)
    found = await context.database.read(lambda connection: passkeys.find_live(connection, assertion.credential_id))
    if found is None:
        raise _invalid_passkey()
    passkey, user = found
    await _use_up(context, challenge)
    use = ceremonies.verified_use(party, passkey, assertion, challenge)
    used = replace(passkey, counter=use.counter, device_type=use.device_type, backed_up=use.backed_up)
    used_at = context.clock()
    if not await context.database.write(lambda connection: passkeys.note_use(connection, used, used_at)):
        raise _invalid_passkey()
    return await start_session(context, Viewer(user, visit=visit), passkey.id)


async def rename_passkey(context: Context, viewer: Viewer, passkey_id: str, name: str) -> Passkey:
    """
    The viewer's passkey, renamed to *name*.

    Raises Problem `invalid_request`, or `passkey_not_found`, also for a passkey of another user.
    """
    name, now = passkey_name(name), context.clock()

    def rename(connection: Connection) -> Passkey | Problem:
        passkey = passkeys.find(connection, passkey_id)
        if passkey is None or passkey.user_id != viewer.id:
            return _not_found()
        passkeys.rename(connection, passkey_id, name)
        audit.add(connection, audit_entry(viewer, "passkey.rename", now, Target(passkey_id, passkey.name), name=name))
        return replace(passkey, name=name)

    return await write_or_raise(context.database, rename)


async def revoke_passkey(context: Context, viewer: Viewer, passkey_id: str) -> None:
    """
    Revoke the viewer's passkey and end the sessions it began. Revoking it again changes nothing.

    Raises Problem `passkey_not_found`, or `forbidden` for a passkey of another user, for admins too.
    """
    now = context.clock()

    def revoke(connection: Connection) -> Problem | None:
        passkey = passkeys.find(connection, passkey_id)
        if passkey is None:
            return _not_found()
        if passkey.user_id != viewer.id:
            return Problem("forbidden", "Forbidden")
        if passkeys.revoke(connection, passkey_id, now):
            sessions.end_those_of(connection, passkey_id=passkey_id)
            audit.add(connection, audit_entry(viewer, "passkey.revoke", now, Target(passkey_id, passkey.name)))
        return None

    await write_or_raise(context.database, revoke)


def _party_for(context: Context, origin: str | None) -> RelyingParty:
    party = relying_party(context.policy.trusted_origins)
    party.must_know(origin)
    return party


async def _store_challenge(context: Context, challenge: bytes, user_id: str, name: str) -> str:
    """A new cookie token for *challenge*, which is stored with only a hash of the token."""
    token = tokens.new_token()
    registration = Challenge(_id(token, context.policy.session_secret), "registration", challenge, user_id, name)
    await context.database.write(lambda connection: challenges.add(connection, registration))
    return token


async def _take_challenge(context: Context, token: str | None) -> Challenge:
    if token is None:
        raise _no_challenge()
    ids = [_id(token, secret) for secret in context.policy.secrets]
    challenge = await context.database.write(lambda connection: challenges.take(connection, ids, "registration"))
    if challenge is None:
        raise _no_challenge()
    return challenge


async def _use_up(context: Context, challenge: bytes) -> None:
    """Store that *challenge* was answered. Raises Problem `passkey_challenge_missing` if that is stored already."""
    used = Challenge(challenge.hex(), "authentication", challenge)
    if not await context.database.write(lambda connection: challenges.use_up(connection, used)):
        raise _no_challenge()


def _id(token: str, secret: str) -> str:
    return tokens.hash_of(token, secret, "passkey registration")


def _no_challenge() -> Problem:
    return Problem("passkey_challenge_missing", "Passkey challenge is missing or expired")


def _not_found() -> Problem:
    return Problem("passkey_not_found", "Passkey not found")


def _invalid_passkey() -> Problem:
    return Problem("invalid_passkey", "Invalid passkey")
