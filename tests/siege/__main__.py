"""
Every attack at length, or those whose name contains `SIEGE`: `python -m tests.siege`, with a table.

`SIEGE_SECONDS` an attack (10), `SIEGE_DATABASE` (`sqlite` or `postgresql`), `SIEGE_TLS` (`yes`: SMTP is attacked and
used over STARTTLS), `SIEGE_PEERS` (`1`: the attacks by SMTP on Postfix and aiosmtpd too), `SIEGE_OUT`, a file for the
table. The exit status says whether everything was withstood.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import a_postgres_server, an_empty_database
from tests.siege.attacks import ATTACKS
from tests.siege.besieged import besieged
from tests.siege.measure import Result, measured
from tests.siege.table import heading, line

_UNDISTURBED_EVERY = 15


class Report:
    """Lines, printed as they come and kept."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, text: str) -> None:
        print(text, flush=True)
        self._lines.append(text)

    def again(self) -> str:
        return "\n".join(self._lines) + "\n"


@contextmanager
def _database(kind: str) -> Iterator[dict[str, str]]:
    if kind == "sqlite":
        yield {}
        return
    with a_postgres_server() as server, an_empty_database(server) as url:
        yield {"DATABASE_URL": url}


def _sieged(folder: Path, report: Report, pattern: str, seconds: float, environment: dict[str, str]) -> list[Result]:
    """What came of each attack whose name contains *pattern*."""
    starttls = os.environ.get("SIEGE_TLS", "no") == "yes"
    results = []
    with besieged(folder, **environment) as server:
        for number, attack in enumerate(attack for attack in ATTACKS if pattern in attack.name):
            target, account = server.target(starttls=starttls), server.account(starttls=starttls)
            if number % _UNDISTURBED_EVERY == 0:
                name = f"undisturbed {number // _UNDISTURBED_EVERY + 1}"
                report.add(line(asyncio.run(measured(server.pid, target, account, name, seconds))))
            result = asyncio.run(measured(server.pid, target, account, f"attack {number}", seconds, attack))
            report.add(line(result))
            results.append(result)
            if not result.is_back:
                server.restart()
    return results


def main() -> None:
    seconds, pattern = float(os.environ.get("SIEGE_SECONDS", "10")), os.environ.get("SIEGE", "")
    report = Report()
    kind = os.environ.get("SIEGE_DATABASE", "sqlite")
    report.add(heading())
    with tempfile.TemporaryDirectory(prefix="kaisoumail-siege-") as folder, _database(kind) as environment:
        results = _sieged(Path(folder), report, pattern, seconds, environment)
    withstood = sum(not result.complaints() for result in results)
    report.add(f"{withstood} of {len(results)} attacks were withstood")
    print("\n" + report.again())
    if out := os.environ.get("SIEGE_OUT"):
        Path(out).write_text(report.again(), encoding="utf-8")
    sys.exit(withstood < len(results))


if __name__ == "__main__":
    main()
