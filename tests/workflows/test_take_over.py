"""Runs outlive their processes: whoever is left goes on, once, where the dead stopped."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection

from kaisoumail.errors import Problem
from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import Database, open_database
from kaisoumail.storage.tables import processes
from kaisoumail.workflows.engine.engine import Engine
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.steps import step
from kaisoumail.workflows.engine.timing import Timing
from tests.forked import Forked
from tests.workflows.stories import process, told

T = TypeVar("T")


def _said(told_by: Forked) -> str:
    return told_by.stdout.readline().strip()


def _tell(racer: Forked, line: str) -> None:
    assert racer.stdin is not None
    racer.stdin.write(line + "\n")
    racer.stdin.flush()


def _killed_in_step_two(database_url: str, folder: Path) -> None:
    with process("three_steps", database_url, folder, "first", "start") as first:
        assert _said(first) == "started"
        assert _said(first) == "in step two"
        first.kill()


def test_a_process_killed_in_the_middle_is_replaced_without_repeating_a_finished_step(
    database_url: str, tmp_path: Path
) -> None:
    _killed_in_step_two(database_url, tmp_path)

    with process("three_steps", database_url, tmp_path, "second") as second:
        printed, _ = second.communicate(timeout=60)

    assert printed == "joined\n['one', 'two', 'three']\n"
    assert (tmp_path / "steps").read_text().splitlines() == ["one", "two by first", "two by second", "three"]


def test_of_two_survivors_one_goes_on(database_url: str, tmp_path: Path) -> None:
    _killed_in_step_two(database_url, tmp_path)

    with ExitStack() as stack:
        start = partial(process, "three_steps", database_url, tmp_path)
        survivors = [stack.enter_context(start(name)) for name in ("second", "third")]
        assert [_said(survivor) for survivor in survivors] == ["joined"] * 2
        for survivor in survivors:
            _tell(survivor, "go on")
        printed = [survivor.communicate(timeout=60)[0] for survivor in survivors]

    assert printed == ["['one', 'two', 'three']\n"] * 2
    [one, by_first, by_survivor, three] = (tmp_path / "steps").read_text().splitlines()
    assert (one, by_first, three) == ("one", "two by first", "three")
    assert by_survivor in ("two by second", "two by third")


def test_two_processes_that_start_a_key_at_once_share_one_run(database_url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        racers = [stack.enter_context(process("racing", database_url, tmp_path, name)) for name in ("left", "right")]
        assert [_said(racer) for racer in racers] == ["ready", "ready"]
        for number in range(10):
            for racer in racers:
                _tell(racer, f"key{number}")
            assert len({_said(racer) for racer in racers}) == 1
            for racer in racers:
                _tell(racer, "you may end")
            winner, same = (_said(racer) for racer in racers)
            assert winner == same
        for racer in racers:
            racer.communicate(timeout=60)

    assert (tmp_path / "steps").read_text().splitlines() == [f"key{number}" for number in range(10)]


class Held:
    """What a held run needs: a gate, and where its steps ran."""

    def __init__(self, *, is_open: bool = False) -> None:
        self.gate = asyncio.Event()
        self.arrived = asyncio.Event()
        self.steps: list[str] = []
        self.ran_on: set[tuple[int, asyncio.AbstractEventLoop]] = set()
        if is_open:
            self.gate.set()


async def _note(held: Held, name: str) -> None:
    held.steps.append(name)
    held.ran_on.add((threading.get_ident(), asyncio.get_running_loop()))


async def _wait(held: Held) -> None:
    held.arrived.set()
    await held.gate.wait()


@job("held")
async def held_run(held: Held) -> str:
    await step("first", _note, held, "first")
    await step("wait", _wait, held)
    await step("last", _note, held, "last")
    return "done"


def _left_behind(monkeypatch: pytest.MonkeyPatch, database_url: str, folder: Path) -> None:
    """A run in the middle of its second step, left by a process which ended cleanly."""
    monkeypatch.setattr("kaisoumail.workflows.engine.engine._FINISH_SECONDS", 0.01)
    held = Held()

    async def start_and_stop(engine: Engine, _: Database) -> None:
        await engine.start("held", key="demo.example")
        await held.arrived.wait()

    told(start_and_stop, database_url, folder, held, process_id="stopped", dead_after=3600)
    assert held.steps == ["first"]


async def _finished(engine: Engine, name: str) -> Any:
    run = await engine.start(name, key="demo.example")
    return await run.result()


def test_a_run_left_by_a_clean_stop_goes_on_in_the_next_process_on_its_loop(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _left_behind(monkeypatch, database_url, tmp_path)
    held = Held(is_open=True)

    async def go_on(engine: Engine, _: Database) -> None:
        assert await _finished(engine, "held") == "done"
        assert held.ran_on == {(threading.get_ident(), asyncio.get_running_loop())}

    told(go_on, database_url, tmp_path, held, process_id="next", dead_after=3600)

    assert held.steps == ["last"], "the finished step was repeated"


def test_a_run_whose_process_nobody_remembers_goes_on(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _left_behind(monkeypatch, database_url, tmp_path)

    async def forget() -> None:
        database = open_database(database_url)
        await database.write(partial(processes.forget, process_id="stopped"))
        await database.close()

    asyncio.run(forget())
    held = Held(is_open=True)

    async def go_on(engine: Engine, _: Database) -> None:
        assert await _finished(engine, "held") == "done"

    told(go_on, database_url, tmp_path, held, process_id="next")


def test_who_waits_while_the_process_stops_is_told_that_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kaisoumail.workflows.engine.engine._FINISH_SECONDS", 0.01)
    held = Held()
    waiting: list[asyncio.Task[Any]] = []

    async def run() -> None:
        database = open_database(f"sqlite:///{tmp_path / 'kaisoumail.db'}")
        await schema_migration.migrate(database)
        engine = Engine(f"sqlite:///{tmp_path / 'workflows.db'}", "stopped")
        async with engine.running(held, database):
            for _ in ("starter", "joiner"):
                started = await engine.start("held", key="demo.example")
                waiting.append(asyncio.create_task(started.result()))
            await held.arrived.wait()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [getattr(outcome, "code", outcome) for outcome in outcomes] == ["still_working"] * 2
        assert all(isinstance(outcome, Problem) for outcome in outcomes)
        await database.close()

    asyncio.run(run())


class Stumbling:
    """A database whose first beats fail in a way nobody thought of."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.url = database.url
        self.patience = database.patience
        self.faults: list[str] = []
        self.failures_left = 0
        self.recovered = asyncio.Event()

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._database.read(work)

    async def read_inline(self, work: Callable[[Connection], T]) -> T:
        return await self._database.read_inline(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        if self.failures_left > 0:
            self.failures_left -= 1
            if self.failures_left == 0:
                self.recovered.set()
            raise ValueError("nobody thought of this")
        return await self._database.write(work)

    async def write_unless_locked(self, work: Callable[[Connection], T]) -> T:
        return await self.write(work)

    async def write_when_unlocked(self, work: Callable[[Connection], T]) -> T:
        return await self.write(work)

    async def write_relaxed(self, work: Callable[[Connection], T]) -> T:
        return await self.write(work)

    async def close(self) -> None:
        await self._database.close()


def test_a_heart_that_stumbles_beats_on(tmp_path: Path) -> None:
    async def run() -> None:
        database = Stumbling(open_database(f"sqlite:///{tmp_path / 'kaisoumail.db'}"))
        await schema_migration.migrate(database)
        async with Engine(f"sqlite:///{tmp_path / 'workflows.db'}", "x", timing=Timing(beat=0.001)).running(
            None, database
        ):
            database.failures_left = 3
            await database.recovered.wait()
        await database.close()

    asyncio.run(run())


def test_nothing_is_left_of_an_engine_that_ended(database_url: str, tmp_path: Path) -> None:
    before = set(threading.enumerate())

    async def story(engine: Engine, _: Database) -> None:
        run = await engine.start("held", key="demo.example")
        assert await run.result() == "done"

    told(story, database_url, tmp_path, Held(is_open=True))

    assert set(threading.enumerate()) - before == set()
    open_files = [str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
    assert [name for name in open_files if "workflows.db" in name] == []
