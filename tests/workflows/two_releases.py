"""
A process of a release with version VERSION of a job: two_releases DATABASE_URL ENGINE_URL FOLDER PROCESS_ID VERSION.

It starts the keys it is told on standard input and says each run's id; their runs wait in their second step until a
line says so, and print who ended them.
"""

import asyncio
import sys
from pathlib import Path

import structlog

from kaisoumail.storage.engine import schema_migration
from kaisoumail.storage.engine.database import open_database
from kaisoumail.workflows.engine.engine import Engine
from kaisoumail.workflows.engine.registry import job
from kaisoumail.workflows.engine.steps import step
from kaisoumail.workflows.engine.timing import Timing
from tests.workflows.racing import Racer
from tests.workflows.three_steps import write

VERSION = int(sys.argv[5]) if len(sys.argv) > 5 else 1


async def wait_for_the_end(racer: Racer) -> None:
    await racer.may_end.wait()


@job("released", version=VERSION, continues=1)
async def released(racer: Racer, line: str) -> str:
    await step("write", write, racer.folder, line)
    await step("wait for the end", wait_for_the_end, racer)
    return await step("end", write, racer.folder, f"{line} ended by release {VERSION}")


async def main(database_url: str, engine_url: str, folder: Path, process_id: str) -> None:
    database = open_database(database_url)
    await schema_migration.migrate(database)
    racer = Racer(folder, process_id)
    engine = Engine(engine_url, process_id, timing=Timing(1.0, 3.0))
    async with engine.running(racer, database):
        print("ready", flush=True)
        runs = []
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            if line == "end":
                racer.may_end.set()
            else:
                runs.append(await engine.start("released", key=line, line=line))
                print("started", flush=True)
        racer.may_end.set()
        print([await run.result() for run in runs], flush=True)
    await database.close()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=sys.stderr))
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
