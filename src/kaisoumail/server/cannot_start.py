"""The error of a server that cannot start, and why a command cannot run, as one line."""

from kaisoumail.errors import Problem
from kaisoumail.storage.engine.open_errors import reason


class CannotStart(Exception):
    """The server cannot run here, for the reason in one sentence; nothing that was opened is left open."""


def explained(problem: Problem) -> str:
    """The sentence of *problem* for the operator, with its root cause where the sentence has none."""
    cause = reason(problem)
    return problem.message if cause in problem.message else f"{problem.message}: {cause}"
