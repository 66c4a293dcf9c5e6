"""`kaisoumail config show`."""

import os

import typer

from kaisoumail.settings import describe, settings_from

app = typer.Typer(help="Look at the configuration.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _config() -> None:
    """Look at the configuration."""


@app.command()
def show() -> None:
    """Print every variable with the value in effect; of a secret only whether it is set."""
    settings = settings_from(os.environ)
    for variable in describe(settings, os.environ):
        print(f"{variable.name}={variable.value}{'' if variable.is_set else '  (default)'}")
