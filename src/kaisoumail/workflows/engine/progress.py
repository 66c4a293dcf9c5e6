"""The progress of a run: its finished steps, each with its calls to Cloudflare."""

from dataclasses import dataclass

from kaisoumail.workflows.engine.results import StepResult


@dataclass(frozen=True, slots=True)
class Progress:
    """The finished *steps* of a run, whether it is still open, and the *error* it ended with."""

    steps: tuple[StepResult, ...]
    is_open: bool
    error: Exception | None = None
