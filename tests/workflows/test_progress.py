"""Whoever looks at a run sees how far it is, and the calls to Cloudflare behind each step."""

import asyncio
from pathlib import Path

from kaisoumail.cloudflare.calls import record, recording
from kaisoumail.cloudflare.errors import Answer, MissingPermission
from kaisoumail.model.domain import Zone
from kaisoumail.operations.bind_progress import Stage, stages_of
from kaisoumail.storage.engine.database import Database
from kaisoumail.workflows.engine.engine import Engine
from kaisoumail.workflows.engine.progress import Progress
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.results import StepResult
from kaisoumail.workflows.engine.steps import step
from tests.workflows.stories import told

CALL = Answer("GET", "/zones", 200, ray_id="8f1-FRA", milliseconds=7)
REFUSED = Answer("POST", "/zones", 403, 0, "Requires permission", "8f2-FRA", 3)


class Gate:
    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        self.heard: list[Answer] = []


async def _call(_: Gate) -> str:
    record(CALL)
    return "found"


async def _refused(gate: Gate) -> None:
    gate.reached.set()
    await gate.opened.wait()
    raise MissingPermission(REFUSED)


@job("calling")
async def calling(gate: Gate) -> None:
    with recording() as calls:
        try:
            await step("call", _call, gate)
            await step("be refused", _refused, gate)
        finally:
            gate.heard += calls


def test_a_run_tells_its_steps_with_their_calls_while_it_goes_on_and_after(database_url: str, tmp_path: Path) -> None:
    gate = Gate()

    async def story(engine: Engine, _: Database) -> None:
        assert await engine.progress("calling", "demo.example") is None
        run = await engine.start("calling", key="demo.example")
        await gate.reached.wait()
        seen = await engine.progress("calling", "demo.example")
        assert seen is not None
        assert (seen.is_open, seen.steps) == (True, (StepResult.of("call", "found", (CALL,)),))
        gate.opened.set()
        await asyncio.gather(run.result(), return_exceptions=True)
        ended = await engine.progress("calling", "demo.example")
        assert ended is not None
        assert not ended.is_open
        assert isinstance(ended.error, MissingPermission)
        assert [(taken.name, taken.calls) for taken in ended.steps] == [("call", (CALL,)), ("be refused", (REFUSED,))]

    told(story, database_url, tmp_path, gate)

    assert gate.heard == [CALL, REFUSED]


ZONE = Zone("0a", "customer.com", "pending", ("ada.ns.cloudflare.com", "bob.ns.cloudflare.com"))
LOOKED = StepResult.of("look for the zone", None, (CALL,))


def _states(*steps: StepResult, is_open: bool = True) -> list[tuple[str, str]]:
    return [(stage.name, stage.state) for stage in stages_of(Progress(steps, is_open))]


def test_a_bind_that_has_just_begun_looks_the_zone_up() -> None:
    assert _states() == [
        ("look", "now"),
        ("create", "ahead"),
        ("name_servers", "ahead"),
        ("routing", "ahead"),
        ("ready", "ahead"),
    ]


def test_a_zone_that_was_there_is_used_and_none_created() -> None:
    stages = stages_of(
        Progress((StepResult.of("look for the zone", ZONE, (CALL,)), StepResult.of("save the zone", "dom_1")), True)
    )

    assert stages[1] == Stage("found", "done")
    assert stages[2] == Stage("name_servers", "done", words=ZONE.name_servers)
    assert stages[3].state == "now"


def test_a_refused_creation_is_where_it_stops() -> None:
    refused = StepResult("create the zone", calls=(REFUSED,), error=MissingPermission(REFUSED))

    stages = stages_of(Progress((LOOKED, refused), is_open=False))

    assert stages[1] == Stage("create", "failed", (REFUSED.as_details(),))
    assert {stage.state for stage in stages[2:]} == {"ahead"}


def test_a_bind_without_a_refusal_is_done_to_the_end() -> None:
    steps = [
        LOOKED,
        StepResult.of("create the zone", ZONE),
        StepResult.of("save the zone", "dom_1"),
        StepResult.of("read the zone", ZONE),
    ]
    steps += [StepResult.of("switch Email Routing on", None), StepResult.of("save the outcome", None)]

    assert {state for _, state in _states(*steps, is_open=False)} == {"done"}
