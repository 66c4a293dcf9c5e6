"""The SQLite that the workflow library is given: as ours, and kept open while it runs."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from sqlalchemy import event, text

from kaisoumail.workflows.engine.dbos_setup import embedded_engine

CROWD = 8  # threads that each hold a connection at the same time


def test_a_connection_that_was_needed_once_is_never_closed_while_the_engine_lives(tmp_path: Path) -> None:
    engine = embedded_engine(f"sqlite:///{tmp_path / 'workflows.db'}")
    closed: list[object] = []
    event.listen(engine, "close", lambda connection, _: closed.append(connection))
    together = Barrier(CROWD)

    def hold_one(_: int) -> int:
        with engine.connect() as connection:
            together.wait(30)
            return int(connection.execute(text("SELECT 1")).scalar_one())

    with ThreadPoolExecutor(CROWD) as threads:
        assert list(threads.map(hold_one, range(CROWD))) == [1] * CROWD

    assert closed == []
    engine.dispose()
    assert len(closed) == CROWD
