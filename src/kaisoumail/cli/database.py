"""`kaisoumail database migrate`."""

import asyncio
import os

import typer

from kaisoumail.cli import until_stopped
from kaisoumail.server.data import migrate_database
from kaisoumail.settings import settings_from

app = typer.Typer(help="Look after the database.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _database() -> None:
    """Look after the database."""


@app.command()
def migrate() -> None:
    """Migrate the database to the newest schema (`serve` does so by itself when it starts)."""
    settings = settings_from(os.environ)

    async def work(_: asyncio.Event) -> None:
        print(f"the database is at revision {await migrate_database(settings)}")

    until_stopped.run(work)
