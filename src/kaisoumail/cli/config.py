"""`kaisoumail config show`."""

import os

import typer

from kaisoumail.settings import settings_from
from kaisoumail.settings.description import SECTIONS, ShownVariable, shown

app = typer.Typer(help="Look at the configuration.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _config() -> None:
    """Look at the configuration."""


@app.command()
def show() -> None:
    """Print every variable with the value in effect, in groups; of a secret only whether it is set."""
    settings = settings_from(os.environ)
    for section in SECTIONS:
        print(f"# {section.title}: {section.purpose}")
        for declaration in section.declarations:
            variable = shown(declaration, settings, os.environ)
            print(f"{variable.name}={variable.value}{_origin(variable)}")
        print()


def _origin(variable: ShownVariable) -> str:
    if variable.set_by is None:
        return "  (default)"
    return "" if variable.set_by == variable.name else f"  (set by its former name {variable.set_by})"
