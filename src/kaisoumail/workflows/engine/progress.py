"""How far a run is, step by step, with the calls to Cloudflare behind each."""

from dataclasses import dataclass

from kaisoumail.workflows.engine.results import StepResult


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: the steps it has taken, and whether it goes on; *error* is what it ended with."""

    steps: tuple[StepResult, ...]
    is_open: bool
    error: Exception | None = None
