"""
The `challenges` table: open registrations, and used challenges of sign-ins.

Each row is valid until an instant of the database's clock. Only the hourly sweep deletes expired rows: a process whose
own clock is ahead would otherwise delete too early what another process still needs.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete

from kaisoumail.model.passkey import CHALLENGE_LIFETIME, Ceremony, Challenge
from kaisoumail.storage.engine.database_clock import DatabaseNow, database_now
from kaisoumail.storage.engine.schema import challenges
from kaisoumail.storage.engine.upsert import insert_unless_known

USED_KEPT: Final = timedelta(days=1)
"""How long a used challenge stays stored: much longer than the database's clock may go back."""


def add(connection: Connection, challenge: Challenge) -> None:
    """Store *challenge* for five minutes."""
    insert_unless_known(connection, challenges, _columns(connection, challenge, CHALLENGE_LIFETIME))


def use_up(connection: Connection, challenge: Challenge) -> bool:
    """
    True if *challenge*, which came back signed, is marked as used now; False if it was used before.

    Of two concurrent answers one gets True.
    """
    return insert_unless_known(connection, challenges, _columns(connection, challenge, USED_KEPT))


def take(connection: Connection, ids: Sequence[str], ceremony: Ceremony) -> Challenge | None:
    """
    The challenge with one of *ids*, deleted; None if it is expired, of the other ceremony, or used already.

    Read and deleted by one statement: of two concurrent answers one gets it.
    """
    row = connection.execute(
        delete(challenges)
        .where(challenges.c.id.in_(ids), challenges.c.kind == ceremony, challenges.c.expires_at > DatabaseNow())
        .returning(challenges.c.id, challenges.c.challenge, challenges.c.user_id, challenges.c.name)
    ).one_or_none()
    return None if row is None else Challenge(row.id, ceremony, row.challenge, row.user_id, row.name)


def _columns(connection: Connection, challenge: Challenge, lifetime: timedelta) -> dict[str, Any]:
    return {
        "id": challenge.id,
        "kind": challenge.ceremony,
        "challenge": challenge.challenge,
        "user_id": challenge.user_id,
        "name": challenge.name,
        "expires_at": database_now(connection) + lifetime,
    }
