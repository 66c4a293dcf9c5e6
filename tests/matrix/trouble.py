"""What a faulty server is told to suffer, and where: the line it reads on standard input."""

from typing import Any, Final, Literal

import msgspec

ONCE: Final = 0.0
UNTIL_RESTART: Final = 1e9

What = Literal[
    "refuse",  # our database does nothing and says so
    "lose the answer",  # our database commits and nobody hears of it
    "disk full",  # our database refuses for want of space, in its own words
    "kill before",  # before the commit; before what a step came to is kept; before a run is started
    "kill after",
    "refuse to keep",  # the workflow library's database refuses what a step came to
    "run twice",  # the step's body, as after a crash
    "answer badly",  # Cloudflare, this call: as `answer` says, a fault of the pretend one
    "withdraw the token",  # just before this call
]


class Trouble(msgspec.Struct, frozen=True):
    """
    *what* happens at the *point*, once or for as many *seconds* from there on.

    A point is `read X#1`, `write X#2`, `step X#1`, `start#1` or `call POST /zones#1`: what is done for a request or a
    run, numbered by how often it was done since the server was told.
    """

    what: What
    point: str
    seconds: float = ONCE
    answer: dict[str, Any] | None = None


class Told(msgspec.Struct, frozen=True):
    """A line for the server: forget the points so far, and suffer *trouble*, if any. Without: say the points."""

    is_new: bool
    trouble: Trouble | None = None
