"""What a database raised, by its codes: trouble of the database, or the caller's business."""

from typing import Final

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from kaisoumail.errors import Problem

# PostgreSQL, Appendix A: connection gone, refused, database missing, out of resources, lock not available, shutting
# down, disk, read-only.
_TROUBLE_STATES: Final = ("08", "28", "3D", "53", "55P03", "57", "58", "25006")
_LOCKED_STATES: Final = ("55P03", "40P01", "57014")  # lock not available, deadlock, over the time for a statement
_UNKEEPABLE_STATE: Final = "22021"
TOO_MANY_CONNECTIONS: Final = "53300"


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code behind *error*, "" without one."""
    return str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")


def is_locked(error: BaseException) -> bool:
    """True if *error* says that a statement waited too long for what another transaction holds."""
    return sqlstate(error) in _LOCKED_STATES


def locked() -> Problem:
    """What is told of a work that found something locked."""
    return Problem("storage_locked", "Another transaction holds a row that this needs, try again later")


def unreachable() -> Problem:
    """What is told while the database cannot be used."""
    return Problem("storage_unavailable", "The database cannot be reached just now")


def is_trouble(error: Exception, told: Exception) -> bool:
    """True if *error*, *told* as it is, is trouble of the database itself, which is everybody's."""
    return told is not error and isinstance(told, Problem) and told.kind.retry


def as_problem(error: Exception) -> Exception:
    """
    *error* in the house's words: a database that is locked, full or gone is a Problem that may pass.

    PostgreSQL keeps no NUL in a text; who sent one hears that. Everything else, a violated constraint above
    all, stays what it is: that is the caller's business.
    """
    trouble = isinstance(error, OperationalError | InterfaceError | OSError | PoolTimeout)
    if isinstance(error, DBAPIError):
        state = sqlstate(error)
        if state == _UNKEEPABLE_STATE:
            return Problem("invalid_request", "Invalid request", formErrors=["A text has a NUL in it"], fieldErrors={})
        trouble = trouble or error.connection_invalidated or state.startswith(_TROUBLE_STATES)
        trouble = trouble or type(error) is DatabaseError  # SQLite's for a file that is damaged, or no database
    if not trouble:
        return error
    problem = unreachable()
    problem.__cause__ = error
    return problem
