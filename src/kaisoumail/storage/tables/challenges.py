"""
The `challenges` table: registrations that have begun, and sign-ins that were answered.

Each is good, or known, until an instant of the database's clock. What is over goes by the hourly sweep alone: a process
whose own clock is ahead would otherwise forget too early what another one has to know.
"""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete

from kaisoumail.model.passkey import CHALLENGE_LIFETIME, Ceremony, Challenge
from kaisoumail.storage.engine.database_clock import DatabaseNow, database_now
from kaisoumail.storage.engine.schema import challenges
from kaisoumail.storage.engine.upsert import insert_unless_known

USED_KEPT: Final = timedelta(days=1)
"""How long an answer is known to have been used: much longer than the database's clock may go back."""


def add(connection: Connection, challenge: Challenge) -> None:
    """Keep *challenge* for five minutes."""
    insert_unless_known(connection, challenges, _columns(connection, challenge, CHALLENGE_LIFETIME))


def use_up(connection: Connection, challenge: Challenge) -> bool:
    """
    Keep that *challenge*, which came back signed, is answered; False if that was kept before.

    Of two answers at once one gets True.
    """
    return insert_unless_known(connection, challenges, _columns(connection, challenge, USED_KEPT))


def take(connection: Connection, challenge_id: str, ceremony: Ceremony) -> Challenge | None:
    """
    The challenge, which is gone from now on; None if it is over, of the other ceremony, or taken already.

    Read and deleted by one statement: of two answers at once one gets it.
    """
    row = connection.execute(
        delete(challenges)
        .where(challenges.c.id == challenge_id, challenges.c.kind == ceremony, challenges.c.expires_at > DatabaseNow())
        .returning(challenges.c.challenge, challenges.c.user_id, challenges.c.name)
    ).one_or_none()
    return None if row is None else Challenge(challenge_id, ceremony, row.challenge, row.user_id, row.name)


def _columns(connection: Connection, challenge: Challenge, lifetime: timedelta) -> dict[str, Any]:
    return {
        "id": challenge.id,
        "kind": challenge.ceremony,
        "challenge": challenge.challenge,
        "user_id": challenge.user_id,
        "name": challenge.name,
        "expires_at": database_now(connection) + lifetime,
    }
