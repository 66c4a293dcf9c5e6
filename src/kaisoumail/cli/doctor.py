"""`kaisoumail doctor`: checks everything that this installation needs."""

import asyncio
import os
from typing import Final

import typer

from kaisoumail.cli import until_stopped
from kaisoumail.operations.installation_checks import Finding, Verdict, check_installation
from kaisoumail.server.context import open_context
from kaisoumail.server.logs import log_to_stderr
from kaisoumail.settings import settings_from
from kaisoumail.settings.environment import misspellings, renamed

_MARKS: Final = {Verdict.WELL: "ok ", Verdict.FAILED: "BAD", Verdict.UNKNOWN: "?  "}


def doctor() -> None:
    """Check the configuration, the database, the blob store and Cloudflare; one line each, exit 1 if any fails."""
    settings = settings_from(os.environ)
    log_to_stderr(level=50)

    async def work(_: asyncio.Event) -> bool:
        async with open_context(settings) as context:
            _print(Finding("configuration", Verdict.WELL, _configuration()))
            is_well = True
            async for finding in check_installation(context, settings.storage.lock_timeout_seconds):
                _print(finding)
                is_well = is_well and finding.verdict is not Verdict.FAILED
            return is_well

    if not until_stopped.run(work):
        raise typer.Exit(1)


def _configuration() -> str:
    findings = ["every variable can be read"]
    findings += [f"{former} is now called {present}" for former, present in renamed(os.environ)]
    findings += [f"{unknown} is no variable; is {meant} meant?" for unknown, meant in misspellings(os.environ)]
    return "; ".join(findings)


def _print(finding: Finding) -> None:
    print(f"{_MARKS[finding.verdict]} {finding.name}: {finding.sentence}")
