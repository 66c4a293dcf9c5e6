"""`kaisoumail database migrate`."""

import asyncio
import os

import typer

from kaisoumail.cli import until_stopped
from kaisoumail.settings import settings_from
from kaisoumail.storage.data_folder import data_folder
from kaisoumail.storage.engine import schema_migration as schema
from kaisoumail.storage.engine.database import open_database
from kaisoumail.storage.engine.workflow_file import check_workflow_file

app = typer.Typer(help="Look after the database.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _database() -> None:
    """Look after the database."""


@app.command()
def migrate() -> None:
    """Migrate the database to the newest schema (`serve` does so by itself when it starts)."""
    storage = settings_from(os.environ).storage
    folder = data_folder(storage.data_dir, storage.database_url, storage.blob_store_url)

    async def work(_: asyncio.Event) -> None:
        database = open_database(folder.database_url, patience=storage.lock_timeout_seconds)
        try:
            await check_workflow_file(folder.workflows_url, storage.lock_timeout_seconds)
            print(f"the database is at revision {await schema.migrate(database)}")
        finally:
            await database.close()

    until_stopped.run(work)
