"""Users, keys, sessions and domains."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from kaisoumail.model.credential import ApiKey, Session
from kaisoumail.model.domain import DomainStatus
from kaisoumail.storage import api_keys, domains, sessions, users
from tests.builders import DEMO
from tests.people import ADA, HOUR, MINUTE, NOON
from tests.storage.conftest import Storage

KEY = ApiKey("key_1", ADA.id, "Laptop", "cfm_12345678", "a" * 64, ("*",), NOON)
SESSION = Session("ses_1", ADA.id, "b" * 64, "key_1", NOON, NOON + HOUR)


def test_a_user_is_found_by_email_in_any_letter_case(storage: Storage) -> None:
    assert storage.read(lambda c: users.find_by_email(c, "ADA@People.example")) == ADA.user
    assert storage.read(lambda c: users.find_by_email(c, "eve@people.example")) is None


def test_an_email_belongs_to_one_user(storage: Storage) -> None:
    with pytest.raises(IntegrityError):
        storage.write(lambda c: users.add(c, replace(ADA.user, id="usr_other")))


def test_a_key_leads_to_its_owner(storage: Storage) -> None:
    storage.write(lambda c: api_keys.add(c, KEY))

    assert storage.read(lambda c: api_keys.find_owner(c, KEY.key_hash)) == (KEY.id, ADA.user, None)
    assert storage.read(lambda c: api_keys.find_owner(c, "c" * 64)) is None


def test_the_last_use_is_written_at_most_once_a_minute(storage: Storage) -> None:
    storage.write(lambda c: api_keys.add(c, KEY))
    for now in (NOON, NOON + MINUTE / 2):
        storage.write(lambda c, now=now: api_keys.note_use(c, KEY.id, now))  # type: ignore[misc]

    found = storage.read(lambda c: api_keys.find_owner(c, KEY.key_hash))

    assert found is not None
    assert found[2] == NOON


def test_a_session_ends_with_its_time(storage: Storage) -> None:
    storage.write(lambda c: api_keys.add(c, KEY))
    storage.write(lambda c: sessions.add(c, SESSION))

    found = storage.read(lambda c: sessions.find_owner(c, SESSION.token_hash, NOON))

    assert found == (SESSION.id, ADA.user)
    assert storage.read(lambda c: sessions.find_owner(c, SESSION.token_hash, NOON + HOUR)) is None


def test_a_session_ends_when_it_is_signed_out(storage: Storage) -> None:
    storage.write(lambda c: api_keys.add(c, KEY))
    storage.write(lambda c: sessions.add(c, SESSION))

    storage.write(lambda c: sessions.end(c, SESSION.token_hash))

    assert storage.read(lambda c: sessions.find_owner(c, SESSION.token_hash, NOON)) is None


def test_sessions_that_are_over_are_forgotten_when_one_begins(storage: Storage) -> None:
    storage.write(lambda c: api_keys.add(c, KEY))
    storage.write(lambda c: sessions.add(c, SESSION))
    later = Session("ses_2", ADA.id, "d" * 64, None, NOON + 2 * HOUR, NOON + 3 * HOUR)

    storage.write(lambda c: sessions.add(c, later))

    assert storage.read(lambda c: sessions.find_owner(c, SESSION.token_hash, NOON)) is None
    assert storage.read(lambda c: sessions.find_owner(c, later.token_hash, NOON + 2 * HOUR)) is not None


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
