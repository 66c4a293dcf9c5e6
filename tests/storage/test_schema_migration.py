"""The migrations and the tables say the same, and may be run by everybody at once."""

import asyncio
from datetime import UTC, datetime

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import open_database
from kaisoumail.storage.engine.schema import metadata
from kaisoumail.storage.tables import domains
from tests.storage.conftest import Storage


def test_the_migrations_lead_to_exactly_the_tables(storage: Storage) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    assert storage.write(differences) == []


def test_a_migrated_database_says_so(storage: Storage) -> None:
    assert storage.read(schema_migration.revision) == schema_migration.newest_revision()


def test_two_processes_may_migrate_at_once(empty_database_url: str) -> None:
    async def both() -> list[str]:
        one, other = open_database(empty_database_url), open_database(empty_database_url)
        try:
            return list(await asyncio.gather(schema_migration.migrate(one), schema_migration.migrate(other)))
        finally:
            await one.close()
            await other.close()

    assert asyncio.run(both()) == [schema_migration.newest_revision()] * 2


def test_a_zone_status_of_an_older_release_was_reported_when_its_row_was_written(empty_database_url: str) -> None:
    older = text(
        "INSERT INTO domains (id, root_domain, binding_source, status, zone_status, name_servers, catch_all_enabled,"
        " last_provision_details, created_at, updated_at)"
        " VALUES ('dom_1', 'seen.example', 'catalog', 'active', 'active', '[]', false, '{}', 1000, 2000),"
        " ('dom_2', 'unseen.example', 'catalog', 'active', NULL, '[]', false, '{}', 1000, 2000)"
    )

    def write_older(connection: Connection) -> None:
        command.upgrade(schema_migration._config(connection), "0010")
        connection.execute(older)

    async def upgraded() -> list[datetime | None]:
        database = open_database(empty_database_url)
        try:
            await database.write(write_older)
            await schema_migration.migrate(database)
            return [domain.zone_status_at for domain in await database.read(domains.listed)]
        finally:
            await database.close()

    assert asyncio.run(upgraded()) == [datetime.fromtimestamp(2, UTC), None]
