"""How many connections to PostgreSQL one process uses is stated, and bounded."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from kaisoumail.storage.engine.open_errors import CONNECTIONS
from tests.builders import an_email
from tests.crash.senders import DOORS, Load, a_sender, ready
from tests.ports import reserved_port
from tests.postgres_roles import a_limited_role
from tests.servers import UNLIMITED, a_world


def test_k10_under_load_a_process_has_no_more_connections_than_it_says(empty_postgres_url: str, tmp_path: Path) -> None:
    port, most, is_over = reserved_port(), [0], threading.Event()

    def count(role: str) -> None:
        with psycopg.connect(empty_postgres_url, autocommit=True) as watching:
            while not is_over.is_set():
                query = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
                [number] = watching.execute(query, [role]).fetchone() or [0]
                most[0] = max(most[0], number)

    with (
        a_limited_role(empty_postgres_url, CONNECTIONS) as url,
        a_world(tmp_path, DATABASE_URL=url, SMTP_PORT=str(port), **UNLIMITED) as world,
        world.product() as product,
        ThreadPoolExecutor(17) as threads,
    ):
        ready(product)
        counting = threads.submit(count, str(make_url(url).username))
        mails = [an_email(subject=f"Mail {number}") for number in range(200)]
        loads = [Load(mails[n::2], partial(a_sender, door, product, port)) for n, door in enumerate(DOORS)]
        for load in loads:
            load.start(4)
        asked = [threads.submit(product.admin.get, "/api/messages") for _ in range(60)]
        asked += [
            threads.submit(product.admin.post, "/api/mailboxes", json={"localPart": f"n{number}", "subdomain": "mail"})
            for number in range(60)
        ]
        statuses = {each.result().status_code for each in asked}
        for load in loads:
            load.finish()
        is_over.set()
        counting.result()

    assert [set(load.answers) for load in loads] == [{"kept"}, {"kept"}]
    assert statuses == {200, 201}
    assert most[0] <= CONNECTIONS
