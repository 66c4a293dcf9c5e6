"""A run ends as it would undisturbed, whatever happens to our storage, to its process and to what is stored of it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import structlog
from sqlalchemy import create_engine, inspect, text

from kaisoumail.storage.engine import schema_migration as our_schema
from kaisoumail.storage.engine.database import Database, open_database
from kaisoumail.storage.engine.sqlite import sqlite_driver
from kaisoumail.storage.tables import runs
from kaisoumail.storage.tables.runs import RunRow
from kaisoumail.workflows.engine import engine as engine_module
from kaisoumail.workflows.engine import prune_runs, registry
from kaisoumail.workflows.engine.engine import Engine, Run, StillRunning
from kaisoumail.workflows.engine.registry import Job, job
from kaisoumail.workflows.engine.results import RunFailed
from kaisoumail.workflows.engine.steps import id_in_step, step
from kaisoumail.workflows.engine.timing import Timing
from tests.workflows.faulty_database import FaultyDatabase
from tests.workflows.stories import changed, engine_url


@dataclass
class Shop:
    """What the job below works with: something outside where things are made, and our own table of them."""

    database: Database
    made: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    is_making: asyncio.Event = field(default_factory=asyncio.Event)
    may_keep: asyncio.Event = field(default_factory=asyncio.Event)
    is_keeping: asyncio.Event = field(default_factory=asyncio.Event)


async def make(shop: Shop, name: str) -> str:
    """Looks before it makes."""
    shop.is_making.set()
    if name not in shop.made:
        shop.made.append(name)
    await shop.may_end.wait()
    return name


async def keep(shop: Shop, name: str) -> list[str]:
    identifier = id_in_step("thing")
    shop.is_keeping.set()
    await shop.may_keep.wait()
    await shop.database.write(lambda _: shop.kept.append(f"{name} as {identifier}"))
    return [name]


@job("made", version=3, continues=2)
async def made(shop: Shop, name: str) -> list[str]:
    return await step("keep", keep, shop, await step("make", make, shop, name))


@job("unmade")
async def unmade(shop: Shop, name: str) -> None:
    shop.made.remove(name)


async def make_what_is_no_json(_: Shop) -> object:
    return object()


@job("odd")
async def odd(shop: Shop) -> None:
    await step("make", make_what_is_no_json, shop)


Story = Callable[[Engine, Shop, FaultyDatabase], Awaitable[None]]


def shopping(story: Story, database_url: str, folder: Path, patience: float = 60.0) -> Shop:
    """The shop after *story*, which was told beside an engine on a database that it may break."""

    async def run() -> Shop:
        database = FaultyDatabase(open_database(database_url))
        await our_schema.migrate(database)
        shop = Shop(database)
        shop.may_end.set()
        shop.may_keep.set()
        engine = Engine(engine_url(database_url, folder), "told", timing=Timing(0.1, 1.0, patience))
        try:
            async with engine.running(shop, database):
                await story(engine, shop, database)
        finally:
            await database.close()
        return shop

    return asyncio.run(run())


async def row_of(database: Database, run_id: str) -> RunRow:
    row = await database.read(partial(runs.find, run_id=run_id))
    assert row is not None
    return row


@pytest.mark.parametrize(
    ("refusals", "is_lost_after_commit", "refuses_reads"),
    [(1, False, False), (5, True, False), (5, False, True)],
    ids=["writes once", "answers of commits", "reads and writes"],
)
def test_b1_b2_k5_k6_what_our_database_refuses_for_a_moment_is_done_all_the_same(
    database_url: str, tmp_path: Path, refusals: int, is_lost_after_commit: bool, refuses_reads: bool
) -> None:
    async def story(engine: Engine, shop: Shop, database: FaultyDatabase) -> None:
        shop.may_end.clear()
        run = await engine.start("made", key="x", name="x")
        await shop.is_making.wait()
        database.refusals, database.refuses_reads = refusals, refuses_reads
        database.is_lost_after_commit = is_lost_after_commit
        shop.may_end.set()
        assert await run.result() == ["x"]
        assert database.refusals == 0

    shop = shopping(story, database_url, tmp_path)

    assert shop.made == ["x"]
    assert len(set(shop.kept)) == 1, "the second time it had the same id"


def test_what_our_database_refuses_for_longer_than_a_step_waits_is_left_open_and_gone_on_with(
    database_url: str, tmp_path: Path
) -> None:
    async def story(engine: Engine, shop: Shop, database: FaultyDatabase) -> None:
        shop.may_end.clear()
        run = await engine.start("made", key="x", name="x")
        await shop.is_making.wait()
        database.refusals = 10**6
        shop.may_end.set()
        with pytest.raises(StillRunning):
            await run.result(within=1.0)
        database.refusals = 0
        assert await run.result() == ["x"]

    assert shopping(story, database_url, tmp_path, patience=0.2).made == ["x"]


def test_i6_a_run_whose_process_died_between_our_commit_and_its_start_is_executed(
    database_url: str, tmp_path: Path
) -> None:
    async def story(engine: Engine, shop: Shop, database: FaultyDatabase) -> None:
        begun = await database.write(partial(engine.begin, job="made", key="x", name="x"))

        assert await Run(engine, begun.run.id).result() == ["x"]

    assert shopping(story, database_url, tmp_path).made == ["x"]


def test_a_run_whose_end_the_library_knows_and_we_do_not_is_begun_again(database_url: str, tmp_path: Path) -> None:
    async def story(engine: Engine, shop: Shop, database: FaultyDatabase) -> None:
        run = await engine.start("made", key="x", name="x")
        await run.result()
        reopen = text("UPDATE runs SET ended_at = NULL, outcome = NULL WHERE id = :id")
        await database.write(lambda connection: connection.execute(reopen, {"id": run.id}).rowcount)
        assert await run.result() == ["x"]
        assert (await row_of(database, run.id)).attempt == 2

    assert shopping(story, database_url, tmp_path).made == ["x"]


def test_k8_another_job_about_the_same_key_waits_for_the_end_of_the_first(database_url: str, tmp_path: Path) -> None:
    async def story(engine: Engine, shop: Shop, _: FaultyDatabase) -> None:
        shop.may_end.clear()
        first = await engine.start("made", key="x", name="x")
        second = asyncio.create_task(engine.start("unmade", key="x", name="x"))
        await shop.is_making.wait()
        assert not second.done()
        shop.may_end.set()
        await first.result()
        await (await second).result()
        assert shop.made == []

    shopping(story, database_url, tmp_path)


def test_whoever_waits_longer_than_an_answer_may_take_is_told_the_run_and_can_join_it(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "WAIT_SECONDS", 0.1)

    async def story(engine: Engine, shop: Shop, _: FaultyDatabase) -> None:
        shop.may_end.clear()
        run = await engine.start("made", key="x", name="x")
        with pytest.raises(StillRunning) as running:
            await run.result(within=0.1)
        assert running.value.details == {"runId": run.id}
        with pytest.raises(StillRunning):
            await engine.start("unmade", key="x", name="x")
        again = await engine.start("made", key="x", name="x")
        shop.may_end.set()
        assert again.id == run.id
        assert await again.result(within=25) == ["x"]

    shopping(story, database_url, tmp_path)


def _of_release(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    """As if this process had another release's job."""
    current = registry.JOBS["made"]
    other = Job("made", current.function, version, min(version, current.continues), current.is_shown)
    monkeypatch.setitem(registry.JOBS, "made", other)


def test_b5_a_run_of_a_version_that_can_be_continued_is_and_an_older_one_begins_again(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids: dict[int, str] = {}

    async def leave_two(engine: Engine, shop: Shop, database: FaultyDatabase) -> None:
        shop.may_end.clear()
        for version in (1, 2):
            shop.is_making.clear()
            _of_release(monkeypatch, version)
            ids[version] = (await engine.start("made", key=f"of {version}", name=f"of {version}")).id
            await shop.is_making.wait()

    async def go_on(engine: Engine, shop: Shop, database: FaultyDatabase) -> None:
        for version, attempts in ((1, 2), (2, 1)):
            assert await Run(engine, ids[version]).result() == [f"of {version}"]
            assert (await row_of(database, ids[version])).attempt == attempts

    monkeypatch.setattr(engine_module, "_FINISH_SECONDS", 0.01)
    shopping(leave_two, database_url, tmp_path)
    monkeypatch.undo()

    assert sorted(shopping(go_on, database_url, tmp_path).made) == ["of 1", "of 2"]


@pytest.mark.parametrize("strange", ["version = 99", "job = 'of tomorrow'"])
def test_a_run_of_a_release_to_come_is_left_alone_and_everything_else_goes_on(
    database_url: str, tmp_path: Path, strange: str
) -> None:
    async def story(engine: Engine, shop: Shop, database: FaultyDatabase) -> None:
        begun = await database.write(partial(engine.begin, job="made", key="x", name="x"))
        statement = text(f"UPDATE runs SET {strange} WHERE id = :id")
        await database.write(lambda connection: connection.execute(statement, {"id": begun.run.id}).rowcount)
        for number in range(12):
            assert await (await engine.start("made", key=f"y{number}", name="y")).result() == ["y"]
        assert (await row_of(database, begun.run.id)).is_open

    assert shopping(story, database_url, tmp_path).made == ["y"]


SPOILT = {
    "no JSON": "{not JSON",
    "not ours": '{"v": 77}',
    "a pickle": "gASVCwAAAAAAAACMB3BpY2tsZWSULg==",
}


@pytest.mark.parametrize("what", SPOILT)
def test_b6_a_run_with_a_result_that_cannot_be_read_is_set_aside_with_a_line_and_its_key_is_free(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    ids: list[str] = []

    async def leave_one(engine: Engine, shop: Shop, database: FaultyDatabase) -> None:
        shop.may_keep.clear()
        ids.append((await engine.start("made", key="x", name="x")).id)
        await shop.is_keeping.wait()

    async def go_on(engine: Engine, shop: Shop, _: FaultyDatabase) -> None:
        with pytest.raises(RunFailed):
            await Run(engine, ids[0]).result()
        assert await (await engine.start("made", key="x", name="x")).result() == ["x"]

    monkeypatch.setattr(engine_module, "_FINISH_SECONDS", 0.01)
    shopping(leave_one, database_url, tmp_path)
    form = "py_pickle" if what == "a pickle" else "kaisoumail-json"
    spoil = "UPDATE {dbos}operation_outputs SET output = :output, serialization = :form"
    assert changed(database_url, tmp_path, spoil, output=SPOILT[what], form=form) == 1
    with structlog.testing.capture_logs() as lines:
        shopping(go_on, database_url, tmp_path)

    [line] = [line for line in lines if line["event"] == "workflows.run.set_aside"]
    assert line["run"] == ids[0]


def test_a_step_whose_result_has_another_shape_is_run_again(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids: list[str] = []

    async def leave_one(engine: Engine, shop: Shop, database: FaultyDatabase) -> None:
        shop.may_keep.clear()
        ids.append((await engine.start("made", key="x", name="x")).id)
        await shop.is_keeping.wait()

    async def go_on(engine: Engine, shop: Shop, _: FaultyDatabase) -> None:
        assert await Run(engine, ids[0]).result() == ["x"]
        assert shop.made == ["x"], "this process made it, too"

    monkeypatch.setattr(engine_module, "_FINISH_SECONDS", 0.01)
    shopping(leave_one, database_url, tmp_path)
    other = json.dumps({"v": 1, "name": "make", "shape": 0, "calls": [], "value": {"of": {"name": "x"}}})
    assert changed(database_url, tmp_path, "UPDATE {dbos}operation_outputs SET output = :output", output=other) == 1
    shopping(go_on, database_url, tmp_path)


def _stored_texts(database_url: str, folder: Path) -> list[str]:
    url = engine_url(database_url, folder)
    if url.startswith("sqlite"):
        driver, schema = create_engine(url, module=sqlite_driver()), ""
    else:
        driver, schema = create_engine(url.replace("postgresql:", "postgresql+psycopg:")), "dbos"
    try:
        with driver.begin() as connection:
            stored: list[str | None] = []
            for table in inspect(connection).get_table_names(schema or None):
                columns = {column["name"] for column in inspect(connection).get_columns(table, schema or None)}
                for column in sorted(columns & {"inputs", "output", "error"}):
                    stored += connection.execute(
                        text(f"SELECT {column} FROM {schema}{'.' * bool(schema)}{table}")
                    ).scalars()
    finally:
        driver.dispose()
    return [one for one in stored if one is not None]


def test_b6_everything_that_is_stored_is_json(database_url: str, tmp_path: Path) -> None:
    async def story(engine: Engine, _: Shop, __: FaultyDatabase) -> None:
        await (await engine.start("made", key="x", name="x")).result()
        with pytest.raises(RunFailed):
            await (await engine.start("unmade", key="y", name="nothing")).result()

    shopping(story, database_url, tmp_path)

    texts = _stored_texts(database_url, tmp_path)
    assert len(texts) >= 4
    for stored in texts:
        json.loads(stored)


def test_a3_runs_that_ended_are_forgotten_with_their_steps_and_open_ones_are_not(
    database_url: str, tmp_path: Path
) -> None:
    async def story(engine: Engine, shop: Shop, database: FaultyDatabase) -> None:
        for number in range(30):
            await (await engine.start("made", key=f"x{number}", name="x")).result()
        assert await prune_runs.prune_runs(database, timedelta(hours=1), shown=False) == 0
        shop.may_end.clear()
        open_run = await engine.start("made", key="open", name="open")
        old = text("UPDATE runs SET ended_at = ended_at - :age WHERE ended_at IS NOT NULL")
        age = timedelta(days=400) // timedelta(milliseconds=1)
        await database.write(lambda connection: connection.execute(old, {"age": age}).rowcount)
        assert await prune_runs.prune_runs(database, timedelta(days=399), shown=False) == 30
        left = await database.read(lambda connection: connection.execute(text("SELECT id FROM runs")).scalars().all())
        assert left == [open_run.id]
        shop.may_end.set()
        await open_run.result()

    shopping(story, database_url, tmp_path)

    assert len([stored for stored in _stored_texts(database_url, tmp_path) if "x" in stored]) == 0


def test_a_bug_in_a_job_ends_its_run_with_a_line_and_frees_its_key(database_url: str, tmp_path: Path) -> None:
    async def story(engine: Engine, shop: Shop, _: FaultyDatabase) -> None:
        run = await engine.start("unmade", key="x", name="never made")
        with pytest.raises(RunFailed, match="ValueError"):
            await run.result()
        shop.made.append("x")
        await (await engine.start("unmade", key="x", name="x")).result()

    with structlog.testing.capture_logs() as lines:
        shopping(story, database_url, tmp_path)

    assert [line["job"] for line in lines if line["event"] == "workflows.run.failed"] == ["unmade"]


def test_a_step_whose_result_cannot_be_stored_ends_its_run_with_a_line_and_frees_its_key(
    database_url: str, tmp_path: Path
) -> None:
    async def story(engine: Engine, _: Shop, __: FaultyDatabase) -> None:
        for _attempt in range(2):
            with pytest.raises(RunFailed, match="TypeError"):
                await (await engine.start("odd", key="x")).result(within=10)

    with structlog.testing.capture_logs() as lines:
        shopping(story, database_url, tmp_path)

    assert [line["step"] for line in lines if line["event"] == "workflows.step_failed"] == ["make", "make"]
