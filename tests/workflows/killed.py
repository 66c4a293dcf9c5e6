"""A server that kills itself with SIGKILL right after a named step: killed.py STEP (settings in the environment)."""

import asyncio
import os
import signal
import sys
from typing import Any

from kaisoumail.server.logs import log_to_stderr
from kaisoumail.server.run import running
from kaisoumail.settings import settings_from
from kaisoumail.workflows.jobs.all_jobs import ALL_JOBS


def die_after(step_name: str) -> None:
    """Every workflow's `step` gets a twin that kills the process once the named step's result is stored."""

    def deadly(module: Any) -> None:
        real = module.step

        async def step(name: str, *arguments: Any, **options: Any) -> Any:
            value = await real(name, *arguments, **options)
            if name == step_name:
                os.kill(os.getpid(), signal.SIGKILL)
            return value

        module.step = step

    for module in ALL_JOBS:
        deadly(module)


async def main() -> None:
    async with running(settings_from(os.environ)) as server:
        print(f"ready http://127.0.0.1:{server.http_port}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    log_to_stderr()
    die_after(sys.argv[1])
    asyncio.run(main())
