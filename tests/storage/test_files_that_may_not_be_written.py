"""A SQLite file that opens and cannot be written is found out before anybody says that all is well."""

import asyncio
from pathlib import Path

import pytest

from kaisoumail.errors import Problem
from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import open_database
from kaisoumail.storage.engine.workflow_file import check_workflow_file


def _read_only(path: Path) -> str:
    """As a file that its user may only read; root, who may run the tests, is refused nothing by its mode."""
    return f"sqlite:///file:{path}?mode=ro&uri=true"


async def _migrate(url: str) -> str:
    database = open_database(url)
    try:
        return await schema_migration.migrate(database)
    finally:
        await database.close()


def test_a_migrated_database_that_may_only_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kaisoumail.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))

    with pytest.raises(Problem, match="readonly") as caught:
        asyncio.run(_migrate(_read_only(path)))

    assert caught.value.code == "storage_unavailable"


def test_a_workflow_database_that_may_only_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "workflows.db"
    path.touch()

    with pytest.raises(Problem, match="readonly") as caught:
        asyncio.run(check_workflow_file(_read_only(path), patience=1.0))

    assert caught.value.code == "storage_unavailable"


def test_a_workflow_database_is_not_changed_by_the_look_at_it(tmp_path: Path) -> None:
    path = tmp_path / "workflows.db"
    path.touch()

    asyncio.run(check_workflow_file(f"sqlite:///{path}", patience=1.0))

    assert path.stat().st_size == 0
