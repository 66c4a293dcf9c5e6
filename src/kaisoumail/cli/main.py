"""The list of commands, and their errors as one clear line each."""

import os
import sys
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from kaisoumail.cli import config, database, demo, doctor, email_worker, sandbox, serve, users
from kaisoumail.errors import Problem
from kaisoumail.server.cannot_start import CannotStart, explained
from kaisoumail.settings import BadEnvironment

app = typer.Typer(
    name="kaisoumail",
    help="Temporary mailboxes on your own domains.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("sandbox")(sandbox.sandbox)
app.command("doctor")(doctor.doctor)
app.add_typer(email_worker.app, name="email-worker")
app.add_typer(config.app, name="config")
app.add_typer(database.app, name="database")
app.add_typer(users.app, name="users")


def main() -> NoReturn:
    """Run the command named on the command line and exit: 0, 1 for a refusal, 2 for wrong usage."""
    os.umask(0o077)  # files that a command writes hold messages of other people, or keys
    try:
        code = app(standalone_mode=False)
    except TyperException as error:
        _print_error(error.format_message())
        sys.exit(2)
    except typer.Abort:
        sys.exit(130)
    except BadEnvironment as error:
        for fault in error.faults:
            _print_error(fault)
        sys.exit(1)
    except CannotStart as error:
        _print_error(str(error))
        sys.exit(1)
    except Problem as problem:
        _print_error(explained(problem))
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _print_error(sentence: str) -> None:
    print(f"kaisoumail: {sentence}", file=sys.stderr)
