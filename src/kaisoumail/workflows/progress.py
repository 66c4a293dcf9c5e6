"""How far a run is, step by step, with the calls to Cloudflare behind each."""

from dataclasses import dataclass
from typing import Any

from kaisoumail.cloudflare.errors import Answer


@dataclass(frozen=True, slots=True)
class Taken:
    """
    A step that was taken: what it returned, or the *error* it ended with, and the *calls* to Cloudflare it made.

    Stored as it is, so that whoever looks at a run sees what stands behind each step.
    """

    name: str
    value: Any = None
    calls: tuple[Answer, ...] = ()
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: the steps it has taken, and whether it goes on; *error* is what it ended with."""

    steps: tuple[Taken, ...]
    is_open: bool
    error: Exception | None = None
