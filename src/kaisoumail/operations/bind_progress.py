"""The progress of binding a domain: its five stages, each with the requests to Cloudflare behind it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from kaisoumail.cloudflare.errors import CloudflareError
from kaisoumail.errors import Problem
from kaisoumail.model.domain import Domain, Zone
from kaisoumail.model.user import Viewer
from kaisoumail.storage.tables import domains
from kaisoumail.workflows.context import Context
from kaisoumail.workflows.engine.progress import Progress
from kaisoumail.workflows.engine.results import StepResult
from kaisoumail.workflows.jobs.step_names import (
    CREATE_ZONE,
    LOOK_FOR_ZONE,
    READ_ZONE,
    SAVE_OUTCOME,
    SAVE_ZONE,
    SWITCH_ON,
)

StageName = Literal["look", "create", "found", "name_servers", "routing", "ready"]
StageState = Literal["done", "now", "waiting", "failed", "ahead"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the five stages. *calls* are Cloudflare's exact answers, *words* its result (the name servers)."""

    name: StageName
    state: StageState
    calls: tuple[dict[str, Any], ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BindProgress:
    """
    The latest bind of a name. *problem* is what it failed with, or why Email Routing is not on yet.

    *domain* is its row; None before the row exists and after it was deleted.
    """

    root_domain: str
    stages: tuple[Stage, ...]
    is_open: bool
    problem: Problem | None
    domain: Domain | None


async def read_bind_progress(context: Context, viewer: Viewer, root_domain: str) -> BindProgress | None:
    """
    The progress of the latest bind of *root_domain*; None if none is stored. Raises Problem `admin_required`.

    Raises UnreadableResult for steps that neither this release nor an earlier one stored.
    """
    viewer.must_be_admin()
    progress = await context.runs.progress("bind_domain", root_domain)
    if progress is None:
        return None
    domain = await context.database.read(lambda connection: domains.find_by_name(connection, root_domain))
    known = domain if domain is not None and domain.deleted_at is None else None
    return BindProgress(root_domain, stages_of(progress), progress.is_open, _problem(progress), known)


def stages_of(progress: Progress) -> tuple[Stage, ...]:
    """The five stages in order: those done, the one in progress or failed, those still ahead."""
    steps_by_name = {step.name: step for step in progress.steps}
    stages: list[Stage] = []
    for name, state, steps, words in _stages(steps_by_name):
        if stages and stages[-1].state != "done":
            stages.append(Stage(name, "ahead"))
            continue
        calls = tuple(call.as_details() for step in steps for call in step.calls)
        is_next: StageState = "now" if progress.is_open else "ahead"
        stages.append(Stage(name, state or is_next, calls, words))
    return tuple(stages)


def _stages(
    steps_by_name: dict[str, StepResult],
) -> Iterator[tuple[StageName, StageState | None, tuple[StepResult, ...], tuple[str, ...]]]:
    """Each stage: its name, its state as far as its own steps show it, those steps, and its words."""

    def steps(*names: str) -> tuple[StepResult, ...]:
        return tuple(steps_by_name[name] for name in names if name in steps_by_name)

    look, create = steps_by_name.get(LOOK_FOR_ZONE), steps_by_name.get(CREATE_ZONE)
    found = look is not None and _zone(look) is not None
    source = look if found else create
    zone = _zone(source) if source is not None else None
    yield "look", _state(steps(LOOK_FOR_ZONE), 1), steps(LOOK_FOR_ZONE), ()
    yield ("found" if found else "create"), ("done" if zone else _state(steps(CREATE_ZONE), 1)), steps(CREATE_ZONE), ()
    yield "name_servers", _state(steps(SAVE_ZONE), 1), (), zone.name_servers if zone else ()
    yield "routing", _routing_state(steps_by_name), steps(READ_ZONE, SWITCH_ON), ()
    yield "ready", _state(steps(SAVE_OUTCOME), 1), (), ()


def _zone(step: StepResult) -> Zone | None:
    value = step.value(Zone | None) if step.error is None else None
    return value if isinstance(value, Zone) else None


def _state(steps: tuple[StepResult, ...], needed: int) -> StageState | None:
    if any(step.error is not None for step in steps):
        return "failed"
    return "done" if len(steps) == needed else None


def _routing_state(steps_by_name: dict[str, StepResult]) -> StageState | None:
    refusal = _refusal(steps_by_name.values())
    if refusal is not None:
        return "waiting" if refusal.code == "cloudflare_zone_not_active" else "failed"
    return _state(tuple(steps_by_name[name] for name in (READ_ZONE, SWITCH_ON) if name in steps_by_name), 2)


def _refusal(steps: Iterable[StepResult]) -> Problem | None:
    """Why Email Routing is not on although the zone exists; None if it is."""
    for step in steps:
        if step.name in (READ_ZONE, SWITCH_ON):
            if isinstance(step.error, CloudflareError):
                return step.error.problem()
            value = step.value(Any) if step.error is None else None
            if isinstance(value, Problem):
                return value
    return None


def _problem(progress: Progress) -> Problem | None:
    error = progress.error
    if isinstance(error, CloudflareError):
        return error.problem()
    if isinstance(error, Problem):
        return error
    if error is not None:
        return Problem("internal", "Internal server error")
    return None if progress.is_open else _refusal(progress.steps)
