"""A process that starts the keys it is told on standard input: racing DATABASE_URL ENGINE_URL FOLDER PROCESS_ID."""

import asyncio
import sys
from pathlib import Path

import structlog

from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import open_database
from kaisoumail.workflows.engine.engine import Engine
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.steps import step
from tests.workflows.three_steps import write


class Racer:
    """Where this process writes down what it ran, and what holds its runs open."""

    def __init__(self, folder: Path, process_id: str) -> None:
        self.folder = folder
        self.process_id = process_id
        self.may_end = asyncio.Event()


async def wait_for_the_end(racer: Racer) -> None:
    await racer.may_end.wait()


@job("raced")
async def raced(racer: Racer, line: str) -> str:
    await step("write", write, racer.folder, line)
    await step("wait for the end", wait_for_the_end, racer)
    return racer.process_id


async def main(database_url: str, engine_url: str, folder: Path, process_id: str) -> None:
    database = open_database(database_url)
    await schema_migration.migrate(database)
    racer = Racer(folder, process_id)
    engine = Engine(engine_url, process_id)
    async with engine.running(racer, database):
        print("ready", flush=True)
        while key := (await asyncio.to_thread(sys.stdin.readline)).strip():
            racer.may_end.clear()
            run = await engine.start("raced", key=key, line=key)
            print(run.id, flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            racer.may_end.set()
            print(await run.result(), flush=True)
    await database.close()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=sys.stderr))
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
