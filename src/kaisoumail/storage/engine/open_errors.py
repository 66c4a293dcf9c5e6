"""Why a database cannot be used, as one line for the operator who starts the service."""

from typing import Final

import asyncpg
from alembic.util import CommandError
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from kaisoumail.errors import Problem

OPEN_ERRORS: Final = (
    Problem,
    OSError,
    SQLAlchemyError,
    CommandError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
CONNECTIONS: Final = 16  # of one process; docs/reference/environment.md lists what each is for
ENGINE_CONNECTIONS: Final = 6  # of those, the workflow engine's: its pool, and one that listens
_TOO_MANY_CONNECTIONS: Final = "53300"


def cannot_open(url: str, error: BaseException, what: str = "database") -> Problem:
    """The Problem `storage_unavailable` that names *what*, its *url* without any password, and the root of *error*."""
    place = make_url(url).set(query={}).render_as_string(hide_password=True)  # a query may hold one as well
    return Problem("storage_unavailable", f"The {what} {place} cannot be used: {reason(error)}")


def reason(error: BaseException) -> str:
    """The message of the root cause of *error*, as one line."""
    root = error
    while (cause := root.__cause__ or getattr(root, "orig", None)) is not None:
        root = cause
    text = root.message if isinstance(root, Problem) else str(root).strip()
    line = " ".join(text.partition("\n")[0].split()) or type(root).__name__
    if getattr(root, "sqlstate", None) == _TOO_MANY_CONNECTIONS:
        return f"{line}; one process of ours uses up to {CONNECTIONS} connections"
    return line
