"""
A process with a three-step run, for killing: three_steps DATABASE_URL ENGINE_URL FOLDER PROCESS_ID [start].

Whoever takes the run over stays in step two until its standard input says something or ends.
"""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import structlog

from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import open_database
from kaisoumail.workflows.engine.engine import Engine
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.steps import step
from kaisoumail.workflows.engine.timing import Timing


async def write(folder: Path, line: str) -> str:
    """Append to what everybody can read; the test counts these lines."""
    with (folder / "steps").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    return line


@dataclass(frozen=True)
class Told:
    """Where this process writes down what it ran, and what it is waiting for in step two."""

    folder: Path
    process_id: str
    may_go: asyncio.Event


async def wait_for_word(told: Told) -> str:
    """The step to be killed in."""
    await write(told.folder, f"two by {told.process_id}")
    if told.process_id == "first":
        print("in step two", flush=True)
    await told.may_go.wait()
    return "two"


@job("three_steps")
async def three_steps(told: Told) -> list[str]:
    one = await step("one", write, told.folder, "one")
    two = await step("two", wait_for_word, told)
    three = await step("three", write, told.folder, "three")
    return [one, two, three]


async def main(database_url: str, engine_url: str, folder: Path, process_id: str, starts: bool) -> None:
    database = open_database(database_url)
    await schema_migration.migrate(database)
    engine = Engine(engine_url, process_id, timing=Timing(0.2, 1.0))
    told = Told(folder, process_id, asyncio.Event())
    async with engine.running(told, database):
        run = await engine.start("three_steps", key="only")
        print("started" if starts else "joined", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        told.may_go.set()
        print(await run.result(), flush=True)
    await database.close()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=sys.stderr))
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], len(sys.argv) > 5))
