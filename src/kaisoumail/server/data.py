"""The data of this installation: who may serve from it, and its migration."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kaisoumail.settings import Settings
from kaisoumail.storage.data_folder import DataFolder, data_folder
from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import open_database
from kaisoumail.storage.engine.workflow_file import check_workflow_file
from kaisoumail.storage.process_lock import sole_process


def folder_of(settings: Settings) -> DataFolder:
    """The data folder that *settings* name, created if missing. Raises Problem as `data_folder`."""
    storage = settings.storage
    return data_folder(storage.data_dir, storage.database_url, storage.blob_store_url)


@contextmanager
def sole_server(settings: Settings, command: str) -> Iterator[None]:
    """Inside the block no other process serves from the data of *settings*. Raises Problem as `sole_process`."""
    with sole_process(folder_of(settings), command):
        yield


@contextmanager
def sole_demo(path: Path) -> Iterator[Path]:
    """The folder at *path*, created if missing, with everything embedded in it, as `sole_server` for a demo."""
    folder = data_folder(str(path))
    with sole_process(folder, "demo"):
        yield folder.path


async def migrate_database(settings: Settings) -> str:
    """
    The newest revision, which the database has then.

    Raises Problem `storage_unavailable` for a database that cannot be used, and for such a workflow database.
    """
    folder, patience = folder_of(settings), settings.storage.lock_timeout_seconds
    database = open_database(folder.database_url, patience=patience)
    try:
        await check_workflow_file(folder.workflows_url, patience)
        return await schema_migration.migrate(database)
    finally:
        await database.close()
