"""The `challenges` table."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert

from kaisoumail.model.passkey import Ceremony, Challenge
from kaisoumail.storage.inserts import insert_unless_known
from kaisoumail.storage.tables import challenges


def add(connection: Connection, challenge: Challenge, now: datetime) -> None:
    """Keep *challenge*, and forget those nobody answered in time."""
    connection.execute(delete(challenges).where(challenges.c.expires_at <= now))
    connection.execute(insert(challenges).values(_columns(challenge)))


def use_up(connection: Connection, challenge: Challenge, now: datetime) -> bool:
    """
    Keep that *challenge*, which came back signed, is answered; False if that was kept before.

    Of two answers at once one gets True.
    """
    connection.execute(delete(challenges).where(challenges.c.expires_at <= now))
    return insert_unless_known(connection, challenges, _columns(challenge))


def take(connection: Connection, challenge_id: str, ceremony: Ceremony, now: datetime) -> Challenge | None:
    """
    The challenge, which is gone from now on; None if it is over, of the other ceremony, or taken already.

    Read and deleted by one statement: of two answers at once one gets it.
    """
    row = connection.execute(
        delete(challenges)
        .where(challenges.c.id == challenge_id, challenges.c.kind == ceremony)
        .returning(challenges.c.challenge, challenges.c.user_id, challenges.c.name, challenges.c.expires_at)
    ).one_or_none()
    if row is None or row.expires_at <= now:
        return None
    return Challenge(challenge_id, ceremony, row.challenge, row.expires_at, row.user_id, row.name)


def _columns(challenge: Challenge) -> dict[str, Any]:
    return {
        "id": challenge.id,
        "kind": challenge.ceremony,
        "challenge": challenge.challenge,
        "user_id": challenge.user_id,
        "name": challenge.name,
        "expires_at": challenge.expires_at,
    }
