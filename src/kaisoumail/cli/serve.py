"""`kaisoumail serve`: production, configured by the environment alone."""

import asyncio
import os
from typing import Final

import structlog

from kaisoumail.cli import until_stopped
from kaisoumail.server.data import sole_server
from kaisoumail.server.logs import log_to_stderr
from kaisoumail.server.run import running
from kaisoumail.settings import settings_from
from kaisoumail.settings.environment import misspellings, renamed

_log: Final = structlog.get_logger("kaisoumail.serve")


def serve() -> None:
    """Run the API, the pages, the SMTP listener and the background work."""
    settings = settings_from(os.environ)
    log_to_stderr()
    for former, present in renamed(os.environ):
        _log.warning("settings.renamed", former=former, present=present)
    for unknown, meant in misspellings(os.environ):
        _log.warning("settings.unknown", name=unknown, meant=meant)

    async def work(stop: asyncio.Event) -> None:
        async with running(settings) as server:
            print(f"ready http://{settings.http.host}:{server.http_port}", flush=True)
            await stop.wait()

    with sole_server(settings, "serve"):
        until_stopped.run(work)
