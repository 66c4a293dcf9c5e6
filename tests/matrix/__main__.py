"""
The whole matrix, or the cells whose line `MATRIX` is found in: `python -m tests.matrix`, with a table.

`MATRIX_DATABASE` is `sqlite`, `postgresql` or, unset, both; `MATRIX_SHARE=7` takes every seventh cell;
`MATRIX_OUT` is a file for the table. The exit status says whether every cell passed.
"""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Final

from kaisoumail.workflows.jobs import all_jobs  # noqa: F401 - what is imported is in the registry
from tests.conftest import an_empty_database
from tests.matrix.cells import UNDISTURBED, faults
from tests.matrix.judge import Cell, run_cell
from tests.matrix.scenarios import SCENARIOS
from tests.matrix.site import Site, a_site
from tests.matrix.table import heading, line, summary
from tests.postgres_server import PostgresServer

_CELLS_OF_A_SITE: Final = 40  # the pretend Cloudflare takes 1,200 calls in five minutes, as the real one does
_PATTERN: Final = os.environ.get("MATRIX", "")
_DATABASES: Final = os.environ.get("MATRIX_DATABASE", "sqlite postgresql").split()
_SHARE: Final = int(os.environ.get("MATRIX_SHARE", "1"))
_OUT: Final = os.environ.get("MATRIX_OUT")


@contextmanager
def _on(kind: str) -> Iterator[Callable[[], AbstractContextManager[Site]]]:
    """What opens a site on an empty database of this *kind*."""
    with ExitStack() as stack:
        server = PostgresServer()
        if kind == "postgresql":
            server.start()
            stack.callback(server.close)

        @contextmanager
        def opened() -> Iterator[Site]:
            with tempfile.TemporaryDirectory(prefix="kaisoumail-matrix-") as folder, ExitStack() as inner:
                url = f"sqlite:///{folder}/kaisoumail.db"
                if kind == "postgresql":
                    url = inner.enter_context(an_empty_database(server.url))
                yield inner.enter_context(a_site(Path(folder), url))

        yield opened


def _cells(database: str, opened: Callable[[], AbstractContextManager[Site]]) -> Iterator[Cell]:
    """Every chosen cell on one kind of database, each as it is over."""
    for job in SCENARIOS:
        with opened() as site:
            cell = run_cell(site, job, UNDISTURBED)
            every = faults(cell.points, SCENARIOS[job].refusal)
            left = [fault for fault in every if _is_chosen(f"{database} {job} {fault}")][::_SHARE]
        yield cell
        while left:
            with opened() as site:
                for _ in range(min(_CELLS_OF_A_SITE, len(left))):
                    cell = run_cell(site, job, left.pop(0))
                    yield cell
                    if cell.complaints():
                        break  # what it left would be laid to the next one's charge


def _is_chosen(cell: str) -> bool:
    return re.search(_PATTERN, cell) is not None


def main() -> None:
    cells: list[Cell] = []
    lines = [heading()]
    print(lines[0], flush=True)
    for database in _DATABASES:
        with _on(database) as opened:
            for cell in _cells(database, opened):
                cells.append(cell)
                lines.append(line(database, cell))
                print(lines[-1], flush=True)
    lines.append(summary(cells))
    print(lines[-1])
    if _OUT:
        Path(_OUT).write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.exit(any(cell.complaints() for cell in cells))


if __name__ == "__main__":
    main()
