"""Passkeys and the challenges of their ceremonies."""

import asyncio
from dataclasses import replace

from sqlalchemy import update

from kaisoumail.model.credential import Session
from kaisoumail.model.passkey import Challenge, Passkey
from kaisoumail.storage.engine.database import open_database
from kaisoumail.storage.engine.schema import users
from kaisoumail.storage.tables import challenges, passkeys, sessions
from tests.database_clock import DatabaseClock
from tests.people import ADA, BOB, HOUR, MINUTE, NOON
from tests.storage.conftest import Storage

LAPTOP = Passkey(
    "psk_1", ADA.id, "Laptop", "Y3JlZGVudGlhbA", b"\x00cose", 5, "singleDevice", False, ("usb", "nfc"), NOON
)
ASKED = Challenge("a" * 64, "registration", b"\x00challenge", ADA.id, "Laptop")


def test_a_challenge_is_good_for_one_answer(storage: Storage) -> None:
    storage.write(lambda c: challenges.add(c, ASKED))

    assert storage.write(lambda c: challenges.take(c, [ASKED.id], "registration")) == ASKED
    assert storage.write(lambda c: challenges.take(c, [ASKED.id], "registration")) is None


def test_of_two_answers_at_once_one_gets_the_challenge(storage: Storage) -> None:
    storage.write(lambda c: challenges.add(c, ASKED))
    other_process = open_database(storage.url)

    async def both() -> list[Challenge | None]:
        writers = (storage.database, other_process)
        taken = (writer.write(lambda c: challenges.take(c, [ASKED.id], "registration")) for writer in writers)
        try:
            return await asyncio.gather(*taken)
        finally:
            await other_process.close()

    assert sorted(storage.run(both()), key=bool) == [None, ASKED]


def test_a_challenge_of_the_other_ceremony_is_none(storage: Storage) -> None:
    storage.write(lambda c: challenges.add(c, ASKED))

    assert storage.write(lambda c: challenges.take(c, [ASKED.id], "authentication")) is None
    assert storage.write(lambda c: challenges.take(c, [ASKED.id], "registration")) == ASKED


def test_a_challenge_is_over_with_its_time(storage: Storage, database_clock: DatabaseClock) -> None:
    storage.write(lambda c: challenges.add(c, ASKED))

    database_clock.move(minutes=5)

    assert storage.write(lambda c: challenges.take(c, [ASKED.id], "registration")) is None


def test_a_passkey_comes_back_as_it_was_kept(storage: Storage) -> None:
    assert storage.write(lambda c: passkeys.add(c, LAPTOP))

    assert storage.read(lambda c: passkeys.find(c, LAPTOP.id)) == LAPTOP
    assert storage.read(lambda c: passkeys.find_live(c, LAPTOP.credential_id)) == (LAPTOP, ADA.user)


def test_a_live_credential_is_kept_once_whoever_brings_it(storage: Storage) -> None:
    storage.write(lambda c: passkeys.add(c, LAPTOP))

    assert not storage.write(lambda c: passkeys.add(c, replace(LAPTOP, id="psk_2", user_id=BOB.id)))
    assert storage.read(lambda c: passkeys.owned_by(c, BOB.id)) == []


def test_a_revoked_credential_may_come_back_as_a_new_passkey(storage: Storage) -> None:
    storage.write(lambda c: passkeys.add(c, LAPTOP))
    storage.write(lambda c: passkeys.revoke(c, LAPTOP.id, NOON + MINUTE))
    again = replace(LAPTOP, id="psk_2", created_at=NOON + HOUR)

    assert storage.write(lambda c: passkeys.add(c, again))

    assert storage.read(lambda c: passkeys.find_live(c, LAPTOP.credential_id)) == (again, ADA.user)
    assert storage.read(lambda c: passkeys.owned_by(c, ADA.id)) == [again, replace(LAPTOP, revoked_at=NOON + MINUTE)]


def test_the_first_moment_of_a_revocation_stays(storage: Storage) -> None:
    storage.write(lambda c: passkeys.add(c, LAPTOP))

    for moment in (NOON + MINUTE, NOON + HOUR):
        storage.write(lambda c, moment=moment: passkeys.revoke(c, LAPTOP.id, moment))  # type: ignore[misc]

    found = storage.read(lambda c: passkeys.find(c, LAPTOP.id))
    assert found is not None
    assert found.revoked_at == NOON + MINUTE


def test_a_use_is_saved_only_if_the_counter_grew(storage: Storage) -> None:
    storage.write(lambda c: passkeys.add(c, LAPTOP))

    assert not storage.write(lambda c: passkeys.note_use(c, LAPTOP, NOON + HOUR))
    assert not storage.write(lambda c: passkeys.note_use(c, replace(LAPTOP, counter=0), NOON + HOUR))
    assert storage.write(lambda c: passkeys.note_use(c, replace(LAPTOP, counter=6, backed_up=True), NOON + HOUR))

    used = replace(LAPTOP, counter=6, backed_up=True, last_used_at=NOON + HOUR)
    assert storage.read(lambda c: passkeys.find(c, LAPTOP.id)) == used


def test_an_authenticator_that_does_not_count_may_be_used_again_and_again(storage: Storage) -> None:
    silent = replace(LAPTOP, counter=0)
    storage.write(lambda c: passkeys.add(c, silent))

    assert all(storage.write(lambda c: passkeys.note_use(c, silent, NOON)) for _ in range(2))


def test_a_revoked_passkey_or_one_of_a_disabled_user_opens_nothing(storage: Storage) -> None:
    storage.write(lambda c: passkeys.add(c, LAPTOP))
    storage.write(lambda c: passkeys.add(c, replace(LAPTOP, id="psk_2", user_id=BOB.id, credential_id="Qm9i")))

    storage.write(lambda c: passkeys.revoke(c, LAPTOP.id, NOON))
    storage.write(lambda c: c.execute(update(users).where(users.c.id == BOB.id).values(disabled_at=NOON)))

    assert storage.read(lambda c: passkeys.find_live(c, LAPTOP.credential_id)) is None
    assert storage.read(lambda c: passkeys.find_live(c, "Qm9i")) is None
    assert not storage.write(lambda c: passkeys.note_use(c, replace(LAPTOP, counter=6), NOON))


def test_a_session_ends_with_the_passkey_it_came_from(storage: Storage) -> None:
    storage.write(lambda c: passkeys.add(c, LAPTOP))
    session = Session("ses_1", ADA.id, "b" * 64, None, NOON, NOON + HOUR, passkey_id=LAPTOP.id)
    other = Session("ses_2", ADA.id, "c" * 64, None, NOON, NOON + HOUR)
    for each in (session, other):
        storage.write(lambda c, each=each: sessions.add(c, each))  # type: ignore[misc]

    # Revoked between the signature and the session it buys: the row came too late to be deleted.
    storage.write(lambda c: passkeys.revoke(c, LAPTOP.id, NOON))

    assert storage.read(lambda c: sessions.find_owner(c, [session.token_hash], NOON, HOUR)) is None
    assert storage.read(lambda c: sessions.find_owner(c, [other.token_hash], NOON, HOUR)) is not None
