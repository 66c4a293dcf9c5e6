"""Users, keys, sessions and domains."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from kaisoumail.model.access import Grant
from kaisoumail.model.credential import ApiKey, Session
from kaisoumail.model.domain import DomainStatus
from kaisoumail.storage.tables import api_keys, domains, sessions, users
from tests.builders import DEMO
from tests.people import ADA, BOB, HOUR, MINUTE, NOON
from tests.storage.conftest import Storage

KEY = ApiKey("key_1", ADA.id, "Laptop", "cfm_12345678", "a" * 64, Grant(), NOON)
SESSION = Session("ses_1", ADA.id, "b" * 64, "key_1", NOON, NOON + HOUR)


def test_a_user_is_found_by_email_in_any_letter_case(storage: Storage) -> None:
    assert storage.read(lambda c: users.find_by_email(c, "ADA@People.example")) == ADA.user
    assert storage.read(lambda c: users.find_by_email(c, "eve@people.example")) is None


def test_an_email_belongs_to_one_user(storage: Storage) -> None:
    with pytest.raises(IntegrityError):
        storage.write(lambda c: users.add(c, replace(ADA.user, id="usr_other")))


def test_a_key_leads_to_its_owner(storage: Storage) -> None:
    storage.write(lambda c: api_keys.add(c, KEY))

    assert storage.read(lambda c: api_keys.find_owner(c, KEY.key_hash, NOON)) == (KEY, ADA.user)
    assert storage.read(lambda c: api_keys.find_owner(c, "c" * 64, NOON)) is None


def test_a_key_keeps_its_bounds_and_ends_at_its_time(storage: Storage) -> None:
    key = replace(KEY, grant=Grant(("messages:read",), "mbx_1", "dom_1", NOON + HOUR))
    storage.write(lambda c: api_keys.add(c, key))

    assert storage.read(lambda c: api_keys.find_owner(c, KEY.key_hash, NOON)) == (key, ADA.user)
    assert storage.read(lambda c: api_keys.find_owner(c, KEY.key_hash, NOON + HOUR)) is None


def test_a_disabled_user_has_no_keys_and_no_sessions_until_they_are_enabled(storage: Storage) -> None:
    storage.write(lambda c: api_keys.add(c, KEY))
    storage.write(lambda c: sessions.add(c, SESSION))

    for disabled_at, is_shut in ((NOON, True), (None, False)):
        user = replace(ADA.user, disabled_at=disabled_at)
        storage.write(lambda c, user=user: users.save(c, user))  # type: ignore[misc]
        assert (storage.read(lambda c: api_keys.find_owner(c, KEY.key_hash, NOON)) is None) is is_shut
        assert (_session(storage, SESSION, NOON) is None) is is_shut


def test_a_key_revoked_twice_keeps_the_first_time(storage: Storage) -> None:
    storage.write(lambda c: api_keys.add(c, KEY))

    assert storage.write(lambda c: api_keys.revoke(c, KEY.id, NOON))
    assert not storage.write(lambda c: api_keys.revoke(c, KEY.id, NOON + HOUR))

    assert storage.read(lambda c: api_keys.of_user(c, ADA.id)) == [replace(KEY, revoked_at=NOON)]


def test_the_last_use_is_written_at_most_once_a_minute(storage: Storage) -> None:
    storage.write(lambda c: api_keys.add(c, KEY))
    for now in (NOON, NOON + MINUTE / 2):
        storage.write(lambda c, now=now: api_keys.note_use(c, KEY.id, now))  # type: ignore[misc]

    [key] = storage.read(lambda c: api_keys.of_user(c, ADA.id))

    assert key.last_used_at == NOON


def _session(storage: Storage, session: Session, now: datetime, idle: timedelta = HOUR) -> Session | None:
    found = storage.read(lambda c: sessions.find_owner(c, ["e" * 64, session.token_hash], now, idle))
    return None if found is None else found[0]


def test_a_session_leads_to_its_owner_with_what_its_key_may(storage: Storage) -> None:
    key = replace(KEY, grant=Grant(("messages:read",), mailbox_id="mbx_1"))
    storage.write(lambda c: api_keys.add(c, key))
    storage.write(lambda c: sessions.add(c, SESSION))

    found = storage.read(lambda c: sessions.find_owner(c, [SESSION.token_hash], NOON, HOUR))

    assert found == (replace(SESSION, last_seen_at=NOON), ADA.user, key.grant)


def test_a_session_without_a_key_may_do_all_its_owner_may(storage: Storage) -> None:
    storage.write(lambda c: sessions.add(c, replace(SESSION, key_id=None, passkey_id="psk_1")))

    found = storage.read(lambda c: sessions.find_owner(c, [SESSION.token_hash], NOON, HOUR))

    assert found is not None
    assert found[2] == Grant()


def test_a_session_ends_with_its_time_and_when_nobody_uses_it(storage: Storage) -> None:
    storage.write(lambda c: api_keys.add(c, KEY))
    storage.write(lambda c: sessions.add(c, SESSION))

    assert _session(storage, SESSION, NOON + 59 * MINUTE) is not None
    assert _session(storage, SESSION, NOON + HOUR, 2 * HOUR) is None
    assert _session(storage, SESSION, NOON + 30 * MINUTE, 30 * MINUTE) is None

    storage.write(lambda c: sessions.note_use(c, SESSION.id, NOON + 20 * MINUTE))
    assert _session(storage, SESSION, NOON + 30 * MINUTE, 30 * MINUTE) is not None


def test_a_session_ends_when_it_is_signed_out(storage: Storage) -> None:
    storage.write(lambda c: api_keys.add(c, KEY))
    storage.write(lambda c: sessions.add(c, SESSION))

    ended = sessions.EndedSession(SESSION.id, ADA.id)
    assert storage.write(lambda c: sessions.end(c, ["e" * 64, SESSION.token_hash])) == ended

    assert _session(storage, SESSION, NOON) is None
    assert storage.write(lambda c: sessions.end(c, [SESSION.token_hash])) is None


def test_a_session_ends_with_its_key(storage: Storage) -> None:
    storage.write(lambda c: api_keys.add(c, KEY))
    storage.write(lambda c: sessions.add(c, SESSION))

    storage.write(lambda c: api_keys.revoke(c, KEY.id, NOON))

    assert _session(storage, SESSION, NOON) is None


def test_nobody_ends_a_session_of_somebody_else(storage: Storage) -> None:
    storage.write(lambda c: sessions.add(c, replace(SESSION, key_id=None)))

    assert not storage.write(lambda c: sessions.end_one(c, BOB.id, SESSION.id))
    assert storage.write(lambda c: sessions.end_all(c, BOB.id)) == 0

    assert _session(storage, SESSION, NOON) is not None
    assert storage.write(lambda c: sessions.end_one(c, ADA.id, SESSION.id))


def test_a_domain_is_saved_over_the_row_of_its_name(storage: Storage) -> None:
    changed = replace(DEMO, name_servers=("ada.ns.example", "bob.ns.example"), zone_status="pending")

    storage.write(lambda c: domains.save(c, changed))

    assert storage.read(domains.listed) == [changed]


def test_a_deleted_domain_is_found_by_name_only(storage: Storage) -> None:
    gone = replace(DEMO, status=DomainStatus.DISABLED, deleted_at=NOON)

    storage.write(lambda c: domains.save(c, gone))

    assert storage.read(domains.listed) == []
    assert storage.read(lambda c: domains.find(c, DEMO.id)) is None
    assert storage.read(lambda c: domains.find_by_name(c, DEMO.root_domain)) == gone


def test_only_active_domains_take_mailboxes(storage: Storage) -> None:
    storage.write(lambda c: domains.save(c, replace(DEMO, status=DomainStatus.PROVISIONING_ERROR)))

    assert storage.read(domains.active) == []
