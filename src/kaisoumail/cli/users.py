"""`kaisoumail users add`."""

import asyncio
import os
from typing import Annotated

import typer

from kaisoumail.cli import until_stopped
from kaisoumail.model.user import Role
from kaisoumail.operations.users import add_user
from kaisoumail.server.context import open_context
from kaisoumail.settings import settings_from

app = typer.Typer(help="Look after the users.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _users() -> None:
    """Look after the users."""


@app.command()
def add(
    email: Annotated[str, typer.Argument(help="E-mail address of the new user.")],
    name: Annotated[str, typer.Option(help="What to call them.")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.MEMBER,
) -> None:
    """Create a user and print their first API key, once."""
    settings = settings_from(os.environ)

    async def work(_: asyncio.Event) -> None:
        async with open_context(settings) as context:
            added = await add_user(context, email, name, role)
        print(f"{added.user.role.value} {added.user.email} made; their API key, shown this once:")
        print(added.secret)

    until_stopped.run(work)
