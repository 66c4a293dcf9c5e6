"""Runs are durable: finished steps are not repeated, whoever goes on with them."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from kaisoumail.errors import Problem
from kaisoumail.storage import schema
from kaisoumail.storage.database import Database, open_database
from kaisoumail.workflows.engine import Engine, Retry, step, workflow

SCRIPT = Path(__file__).parent / "three_steps.py"
ROOT = Path(__file__).parents[2]
Story = Callable[[Engine, Database], Awaitable[None]]


def engine_url(database_url: str, folder: Path) -> str:
    return database_url if database_url.startswith("postgresql") else f"sqlite:///{folder / 'workflows.db'}"


def told(story: Story, database_url: str, folder: Path, context: Any = None, process_id: str = "told") -> None:
    """Run *story* beside a running engine."""

    async def run() -> None:
        database = open_database(database_url)
        try:
            await schema.migrate(database)
            engine = Engine(engine_url(database_url, folder), process_id, beat=0.2, dead_after=1.0)
            async with engine.running(context, database):
                await story(engine, database)
        finally:
            await database.close()

    asyncio.run(run())


def _process(database_url: str, folder: Path, process_id: str, *more: str) -> "subprocess.Popen[str]":
    words = [str(SCRIPT), database_url, engine_url(database_url, folder), str(folder), process_id, *more]
    return subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_a_process_killed_in_the_middle_is_replaced_without_repeating_a_finished_step(
    database_url: str, tmp_path: Path
) -> None:
    with _process(database_url, tmp_path, "first", "start") as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "started three_steps:only:1\n"
        assert first.stdout.readline() == "in step two\n"
        first.kill()

    with _process(database_url, tmp_path, "second") as second:
        printed, _ = second.communicate(timeout=60)

    assert printed == "joined three_steps:only:1\n['one', 'two', 'three']\n"
    assert (tmp_path / "steps").read_text().splitlines() == ["one", "two by first", "two by second", "three"]


class Refusal:
    """What a story's steps need: a count of calls, and a gate to hold a run open."""

    def __init__(self) -> None:
        self.calls = 0
        self.gate = asyncio.Event()
        self.threads: set[int] = set()


async def _count(context: Refusal) -> int:
    context.calls += 1
    context.threads.add(threading.get_ident())
    return context.calls


async def _wait_at_the_gate(context: Refusal) -> None:
    await context.gate.wait()


async def _refuse(context: Refusal) -> None:
    context.calls += 1
    raise Problem("domain_exists", "Mailbox domain already exists", rootDomain="demo.example")


async def _fail_twice(context: Refusal) -> str:
    context.calls += 1
    if context.calls < 3:
        raise ConnectionError("not yet")
    return "third time lucky"


async def _always_fail(context: Refusal) -> None:
    context.calls += 1
    raise ConnectionError("never")


@workflow("counted")
async def counted(context: Refusal) -> int:
    number = await step("count", _count, context)
    await step("wait at the gate", _wait_at_the_gate, context)
    return number


@workflow("refused")
async def refused(context: Refusal) -> None:
    await step("refuse", _refuse, context)


@workflow("patient")
async def patient(context: Refusal) -> str:
    return await step("fail twice", _fail_twice, context, retry=Retry((ConnectionError,), 3, 0.001))


@workflow("impatient")
async def impatient(context: Refusal) -> None:
    await step("always fail", _always_fail, context, retry=Retry((ConnectionError,), 3, 0.001))


def test_the_same_key_while_a_run_is_open_is_the_same_run(database_url: str, tmp_path: Path) -> None:
    context = Refusal()

    async def story(engine: Engine, _: Database) -> None:
        first = await engine.start("counted", key="demo.example")
        second = await engine.start("counted", key="demo.example")
        other = await engine.start("counted", key="other.example")
        context.gate.set()
        assert first.id == second.id != other.id
        assert await first.result() == await second.result()
        await other.result()

    told(story, database_url, tmp_path, context)

    assert context.calls == 2


def test_many_starts_at_once_are_one_run(database_url: str, tmp_path: Path) -> None:
    context = Refusal()

    async def story(engine: Engine, _: Database) -> None:
        runs = await asyncio.gather(*(engine.start("counted", key="demo.example") for _ in range(10)))
        context.gate.set()
        assert {run.id for run in runs} == {"counted:demo.example:1"}
        assert set(await asyncio.gather(*(run.result() for run in runs))) == {1}

    told(story, database_url, tmp_path, context)

    assert context.calls == 1


def test_once_a_run_ended_the_same_key_may_run_again(database_url: str, tmp_path: Path) -> None:
    context = Refusal()
    context.gate.set()

    async def story(engine: Engine, _: Database) -> None:
        for number in (1, 2, 3):
            run = await engine.start("counted", key="demo.example")
            assert run.id == f"counted:demo.example:{number}"
            assert await run.result() == number

    told(story, database_url, tmp_path, context)


def test_a_problem_comes_back_as_itself(database_url: str, tmp_path: Path) -> None:
    context = Refusal()

    async def story(engine: Engine, _: Database) -> None:
        run = await engine.start("refused", key="demo.example")
        with pytest.raises(Problem) as caught:
            await run.result()
        assert caught.value.code == "domain_exists"
        assert caught.value.details == {"rootDomain": "demo.example"}

    told(story, database_url, tmp_path, context)

    assert context.calls == 1


def test_a_step_is_tried_again_while_patience_lasts(database_url: str, tmp_path: Path) -> None:
    context = Refusal()

    async def story(engine: Engine, _: Database) -> None:
        assert await (await engine.start("patient", key="x")).result() == "third time lucky"

    told(story, database_url, tmp_path, context)


def test_when_patience_is_over_the_error_is_the_last_one(database_url: str, tmp_path: Path) -> None:
    context = Refusal()

    async def story(engine: Engine, _: Database) -> None:
        with pytest.raises(ConnectionError, match="never"):
            await (await engine.start("impatient", key="x")).result()

    told(story, database_url, tmp_path, context)

    assert context.calls == 3


def test_a_run_left_by_a_clean_stop_goes_on_in_the_next_process_on_its_loop(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kaisoumail.workflows.engine._FINISH_SECONDS", 0.05)
    stopped, next_one = Refusal(), Refusal()

    async def start_and_stop(engine: Engine, _: Database) -> None:
        run = await engine.start("counted", key="demo.example")
        while stopped.calls == 0:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert run.id == "counted:demo.example:1"

    async def go_on(engine: Engine, _: Database) -> None:
        next_one.gate.set()
        run = await engine.start("counted", key="demo.example")
        assert run.id == "counted:demo.example:1"
        assert await run.result() == 1

    told(start_and_stop, database_url, tmp_path, stopped, process_id="stopped")
    told(go_on, database_url, tmp_path, next_one, process_id="next")

    assert stopped.calls == 1
    assert next_one.calls == 0, "the finished step was repeated"


def test_a_database_that_cannot_be_opened_is_a_problem(tmp_path: Path) -> None:
    async def run() -> None:
        database = open_database(f"sqlite:///{tmp_path / 'product.db'}")
        engine = Engine(f"sqlite:///{tmp_path / 'nowhere' / 'workflows.db'}", "x")
        try:
            with pytest.raises(Problem) as caught:
                async with engine.running(None, database):
                    raise AssertionError("it must not start")
            assert caught.value.code == "storage_unavailable"
        finally:
            await database.close()

    asyncio.run(run())
