"""The migrations and the tables say the same, and may be run by everybody at once."""

import asyncio

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import open_database
from kaisoumail.storage.engine.schema import metadata
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
