"""Runs are durable: finished steps are not repeated, whoever goes on with them."""

import asyncio
from pathlib import Path

import pytest
import structlog

from kaisoumail.errors import Problem
from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import Database, open_database
from kaisoumail.workflows.engine.engine import Engine
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.results import RunFailed
from kaisoumail.workflows.engine.steps import Retry, step
from tests.workflows.stories import engine_url, told


class Refusal:
    """What a story's steps need: a count of calls, and a gate to hold a run open."""

    def __init__(self) -> None:
        self.calls = 0
        self.gate = asyncio.Event()


async def _count(context: Refusal) -> int:
    context.calls += 1
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


@job("counted")
async def counted(context: Refusal) -> int:
    number = await step("count", _count, context)
    await step("wait at the gate", _wait_at_the_gate, context)
    return number


@job("refused")
async def refused(context: Refusal) -> None:
    await step("refuse", _refuse, context)


@job("patient")
async def patient(context: Refusal) -> str:
    return await step("fail twice", _fail_twice, context, retry=Retry((ConnectionError,), 3, 0.001))


@job("impatient")
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
        assert len({run.id for run in runs}) == 1
        assert set(await asyncio.gather(*(run.result() for run in runs))) == {1}

    told(story, database_url, tmp_path, context)

    assert context.calls == 1


def test_once_a_run_ended_the_same_key_may_run_again(database_url: str, tmp_path: Path) -> None:
    context = Refusal()
    context.gate.set()

    async def story(engine: Engine, _: Database) -> None:
        for number in (1, 2, 3):
            run = await engine.start("counted", key="demo.example")
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
        with pytest.raises(RunFailed, match="ConnectionError: never"):
            await (await engine.start("impatient", key="x")).result()

    told(story, database_url, tmp_path, context)

    assert context.calls == 3


def test_a_refusal_is_one_line_in_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def story(engine: Engine, _: Database) -> None:
        with pytest.raises(Problem):
            await (await engine.start("refused", key="demo.example")).result()

    with structlog.testing.capture_logs() as lines:
        told(story, f"sqlite:///{tmp_path / 'kaisoumail.db'}", tmp_path, Refusal())

    refusals = [line for line in lines if line["event"] == "workflows.run.refused"]
    assert [(line["job"], line["code"]) for line in refusals] == [("refused", "domain_exists")]
    captured = capfd.readouterr()
    assert "Traceback" not in captured.err + captured.out


def test_a_process_runs_one_engine_at_a_time(tmp_path: Path) -> None:
    async def story(_: Engine, database: Database) -> None:
        other = Engine(engine_url(database.url, tmp_path), "other")
        with pytest.raises(RuntimeError, match="already running"):
            async with other.running(None, database):
                raise AssertionError("it must not start")

    told(story, f"sqlite:///{tmp_path / 'kaisoumail.db'}", tmp_path)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:///{folder}/nowhere/workflows.db", "unable to open database file"),
        ("postgresql://ada:hunter2@127.0.0.1:9/workflows?connect_timeout=2", "Connection refused"),
    ],
)
def test_a_database_that_cannot_be_opened_is_a_problem_in_one_sentence(
    url: str, reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def run() -> str:
        database = open_database(f"sqlite:///{tmp_path / 'product.db'}")
        await schema_migration.migrate(database)
        engine = Engine(url.format(folder=tmp_path), "x")
        try:
            with pytest.raises(Problem) as caught:
                async with engine.running(None, database):
                    raise AssertionError("it must not start")
            assert caught.value.code == "storage_unavailable"
            return caught.value.message
        finally:
            await database.close()

    message = asyncio.run(run())

    assert reason in message
    assert "\n" not in message
    assert "hunter2" not in message
    captured = capfd.readouterr()
    assert "Traceback" not in captured.err + captured.out
