"""
Every attack at length, or those whose module and name `SIEGE` is found in: `python -m tests.siege`, with a table.

`SIEGE_SECONDS` an attack (10), `SIEGE_RECOVERY_SECONDS` to be as before (60), `SIEGE_DATABASE` (`sqlite` or
`postgresql`), `SIEGE_TLS` (`yes`: SMTP is attacked and used over STARTTLS), `SIEGE_PEERS` (`1`: the attacks by SMTP on
Postfix and aiosmtpd too), `SIEGE_OUT`, a file for the table. The exit status says whether ours withstood everything.
"""

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.conftest import an_empty_database
from tests.postgres_server import PostgresServer
from tests.siege.attacker import Attack, Target
from tests.siege.attacks import ATTACKS, BY_SMTP
from tests.siege.besieged import besieged
from tests.siege.measure import RECOVERY, Process, Result, measured
from tests.siege.ordinary import Account
from tests.siege.peers import each_peer
from tests.siege.table import heading, line

_UNDISTURBED_EVERY: Final = 15  # attacks
_PATTERN: Final = os.environ.get("SIEGE", "")
_SECONDS: Final = float(os.environ.get("SIEGE_SECONDS", "10"))
_RECOVERY: Final = float(os.environ.get("SIEGE_RECOVERY_SECONDS", RECOVERY))
_IS_OVER_TLS: Final = os.environ.get("SIEGE_TLS") == "yes"


class Report:
    """Lines, printed as they come and kept."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, text: str) -> None:
        print(text, flush=True)
        self._lines.append(text)

    def whole(self) -> str:
        return "\n".join(self._lines) + "\n"


@contextmanager
def _database(kind: str) -> Iterator[dict[str, str]]:
    if kind == "sqlite":
        yield {}
        return
    server = PostgresServer()
    server.start()
    try:
        with an_empty_database(server.url) as url:
            yield {"DATABASE_URL": url}
    finally:
        server.close()


def _chosen(attacks: Sequence[Attack]) -> list[Attack]:
    return [attack for attack in attacks if re.search(_PATTERN, f"{attack.one.__module__} {attack.name}")]


def _on_ours(report: Report, folder: Path, environment: dict[str, str]) -> list[Result]:
    """What came of each attack on our server, which is started again when one has left it unusable."""
    results = []
    with besieged(folder, environment) as server:
        for number, attack in enumerate(_chosen(ATTACKS)):
            target, account = server.target(starttls=_IS_OVER_TLS), server.account(starttls=_IS_OVER_TLS)
            if number % _UNDISTURBED_EVERY == 0:
                _measure(report, server.process, target, account, f"undisturbed {number // _UNDISTURBED_EVERY + 1}")
            result = _measure(report, server.process, target, account, f"attack {number}", attack)
            results.append(result)
            if not result.is_back:
                server.restart()
    return results


def _on_peers(report: Report) -> None:
    def besiege(name: str, process: Process, target: Target, account: Account) -> None:
        report.add(f"\n{name}")
        _measure(report, process, target, account, "undisturbed")
        for attack in _chosen(BY_SMTP):
            if _measure(report, process, target, account, name, attack).after is None:
                break

    each_peer(besiege)


def _measure(
    report: Report, process: Process, target: Target, account: Account, name: str, attack: Attack | None = None
) -> Result:
    result = asyncio.run(measured(process, target, account, name, _SECONDS, attack, _RECOVERY))
    report.add(line(result))
    return result


def main() -> None:
    report, kind = Report(), os.environ.get("SIEGE_DATABASE", "sqlite")
    report.add(f"{kind}, SMTP {'over TLS' if _IS_OVER_TLS else 'in clear'}, {_SECONDS:g} s an attack")
    report.add(heading())
    with tempfile.TemporaryDirectory(prefix="kaisoumail-siege-") as folder, _database(kind) as environment:
        results = _on_ours(report, Path(folder), environment)
    withstood = sum(not result.complaints() for result in results)
    report.add(f"{withstood} of {len(results)} attacks were withstood")
    if os.environ.get("SIEGE_PEERS"):
        _on_peers(report)
    print("\n" + report.whole())
    if out := os.environ.get("SIEGE_OUT"):
        Path(out).write_text(report.whole(), encoding="utf-8")
    sys.exit(withstood < len(results))


if __name__ == "__main__":
    main()
