"""A process with a three-step run, for killing: three_steps.py DATABASE_URL ENGINE_URL FOLDER PROCESS_ID [start]."""

import asyncio
import sys
from pathlib import Path

import structlog

from kaisoumail.storage import schema
from kaisoumail.storage.database import open_database
from kaisoumail.workflows.engine import Engine, step, workflow


async def write(folder: Path, line: str) -> str:
    """Append to what everybody can read; the test counts these lines."""
    with (folder / "steps").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    return line


async def wait_for_the_end(folder: Path, process_id: str) -> str:
    """The step to be killed in: the first process tells that it is here and stays for ever."""
    await write(folder, f"two by {process_id}")
    if process_id == "first":
        print("in step two", flush=True)
        await asyncio.Event().wait()
    return "two"


@workflow("three_steps")
async def three_steps(context: tuple[Path, str]) -> list[str]:
    folder, process_id = context
    one = await step("one", write, folder, "one")
    two = await step("two", wait_for_the_end, folder, process_id)
    three = await step("three", write, folder, "three")
    return [one, two, three]


async def main(database_url: str, engine_url: str, folder: Path, process_id: str, starts: bool) -> None:
    database = open_database(database_url)
    await schema.migrate(database)
    engine = Engine(engine_url, process_id, beat=0.2, dead_after=1.0)
    async with engine.running((folder, process_id), database):
        run = await engine.start("three_steps", key="only")
        print(f"{'started' if starts else 'joined'} {run.id}", flush=True)
        print(await run.result(), flush=True)
    await database.close()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=sys.stderr))
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], len(sys.argv) > 5))
