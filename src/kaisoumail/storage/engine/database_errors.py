"""What a database raised, by its codes: a failure of the database, or an error of the caller."""

from typing import Final

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from kaisoumail.errors import InvalidValue, Problem

# PostgreSQL, Appendix A: connection gone, refused, database missing, out of resources, lock not available, shutting
# down, disk, read-only.
_FAILURE_STATES: Final = ("08", "28", "3D", "53", "55P03", "57", "58", "25006")
_LOCKED_STATES: Final = ("55P03", "40P01", "57014")  # lock not available, deadlock, over the time for a statement
_NUL_IN_TEXT_STATE: Final = "22021"
TOO_MANY_CONNECTIONS: Final = "53300"


def sqlstate(error: BaseException) -> str:
    """The SQLSTATE code of *error*, "" without one."""
    return str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")


def is_locked(error: BaseException) -> bool:
    """True if a statement waited too long for a lock that another transaction holds."""
    return sqlstate(error) in _LOCKED_STATES


def locked() -> Problem:
    """The Problem for a work that found something locked."""
    return Problem("storage_locked", "Another transaction holds a lock that this request needs, try again later")


def unreachable() -> Problem:
    """The Problem while the database cannot be used."""
    return Problem("storage_unavailable", "The database cannot be reached")


def is_database_failure(error: Exception, raised: Exception) -> bool:
    """True if *error*, which `as_problem` made *raised*, is a failure of the database itself: it hits every work."""
    return raised is not error and isinstance(raised, Problem) and raised.kind.retry


def as_problem(error: Exception) -> Exception:
    """
    The exception to raise for *error*: Problem `storage_unavailable` when the database is locked, full or gone.

    PostgreSQL stores no NUL in a text: that is InvalidValue, an error of the client. Everything else is
    returned as it is, a violated constraint above all: the caller handles it.
    """
    is_failure = isinstance(error, OperationalError | InterfaceError | OSError | PoolTimeout)
    if isinstance(error, DBAPIError):
        state = sqlstate(error)
        if state == _NUL_IN_TEXT_STATE:
            return InvalidValue("text", "A text contains a NUL character")
        is_failure = is_failure or error.connection_invalidated or state.startswith(_FAILURE_STATES)
        is_failure = is_failure or type(error) is DatabaseError  # SQLite's for a file that is damaged or is no database
    if not is_failure:
        return error
    problem = unreachable()
    problem.__cause__ = error
    return problem
