"""`kaisoumail database migrate`."""

import asyncio
import os
from pathlib import Path

import typer

from kaisoumail.cli import until_stopped
from kaisoumail.errors import Problem
from kaisoumail.server import CannotStart, writable_folder
from kaisoumail.settings import settings_from
from kaisoumail.storage import schema
from kaisoumail.storage.database import open_database

app = typer.Typer(help="Look after the database.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _database() -> None:
    """Look after the database."""


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema (`serve` does so by itself when it starts)."""
    settings = settings_from(os.environ)
    folder = writable_folder(Path(settings.data_dir))
    url = settings.database_url or f"sqlite:///{folder / 'kaisoumail.db'}"

    async def work(_: asyncio.Event) -> None:
        database = open_database(url)
        try:
            print(f"the database is at revision {await schema.migrate(database)}")
        except Problem as problem:
            raise CannotStart(f"{problem.message}: {problem.__cause__}".partition("\n")[0]) from problem
        finally:
            await database.close()

    until_stopped.run(work)
