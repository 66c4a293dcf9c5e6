"""The seconds by which an engine works."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Timing:
    """
    Seconds: each process writes a heartbeat every *beat*, and is dead when none came for *dead_after*.

    A step waits for our own storage up to *patience*; then its run is left open and executed again a few beats later.
    """

    beat: float = 2.0
    dead_after: float = 10.0
    patience: float = 60.0


USUAL: Final = Timing()
