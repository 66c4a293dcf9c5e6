"""Sessions of PostgreSQL have limits of their own, and one that is half open is noticed."""

import asyncio
import os
import socket

import psutil
import pytest
from sqlalchemy import Connection, create_engine, make_url, text

from kaisoumail.errors import Problem
from kaisoumail.storage.engine.database import open_database
from kaisoumail.storage.engine.postgres_sessions import connect, with_limits_of_libpq
from tests.postgres_proxy import a_postgres_proxy
from tests.postgres_server import PostgresServer

LIMITS = {
    "idle_in_transaction_session_timeout": "4s",
    "client_connection_check_interval": "2s",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "5000",
}
OPTIONS = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
]
SHOW = "SELECT " + ", ".join(f"current_setting('{name}')" for name in LIMITS)


def test_every_session_of_ours_brings_its_limits(own_postgres: PostgresServer) -> None:
    def limits(connection: Connection) -> dict[str, str]:
        return dict(zip(LIMITS, connection.execute(text(SHOW)).one(), strict=True))

    async def of_every_kind() -> list[dict[str, str]]:
        database = open_database(own_postgres.url)
        try:
            return [await run(limits) for run in (database.read, database.write, database.write_relaxed)]
        finally:
            await database.close()

    assert asyncio.run(of_every_kind()) == [LIMITS] * 3


def test_a_session_of_the_workflow_engine_brings_them_as_well(own_postgres: PostgresServer) -> None:
    url = with_limits_of_libpq(own_postgres.url + "?options=-c%20work_mem%3D5MB")
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))  # as the workflow engine does

    with engine.connect() as session:
        shown = session.execute(text(SHOW + ", current_setting('work_mem')")).one()
    engine.dispose()

    assert tuple(shown) == (*LIMITS.values(), "5MB")


def test_the_socket_of_a_session_notices_that_nobody_is_there(own_postgres: PostgresServer) -> None:
    place = make_url(own_postgres.url)

    async def options() -> list[int]:
        session = await connect(place)
        [there] = [each.fd for each in psutil.Process().net_connections("tcp") if each.raddr[1:] == (place.port,)]
        with socket.socket(fileno=os.dup(there)) as used:
            shown = [used.getsockopt(level, option) for level, option in OPTIONS]
        await session.close()
        return shown

    assert asyncio.run(options()) == [1, 2, 1, 3, 5000]


@pytest.mark.parametrize("kind", ["read", "write", "write_relaxed"])
def test_k3_a_pooled_connection_that_went_silent_is_replaced(postgres_url: str, kind: str) -> None:
    async def story() -> tuple[int, int]:
        with a_postgres_proxy(postgres_url) as proxy:
            database = open_database(proxy.url)
            try:
                before = await getattr(database, kind)(_one)
                proxy.silence()
                return before, await getattr(database, kind)(_one)
            finally:
                await database.close()

    assert asyncio.run(asyncio.wait_for(story(), 60)) == (1, 1)


def _one(connection: Connection) -> int:
    return int(connection.execute(text("SELECT 1")).scalar_one())


@pytest.mark.parametrize("kind", ["read", "write", "write_relaxed"])
def test_k3_a_connection_that_goes_silent_in_the_middle_is_given_up_and_the_next_one_works(
    postgres_url: str, kind: str
) -> None:
    async def story() -> None:
        with a_postgres_proxy(postgres_url) as proxy:
            database = open_database(proxy.url)

            def silenced(connection: Connection) -> int:
                _one(connection)
                proxy.silence()
                return _one(connection)

            try:
                async with asyncio.timeout(10):
                    with pytest.raises(Problem, match="storage_unavailable"):
                        await getattr(database, kind)(silenced)
                assert await getattr(database, kind)(_one) == 1
            finally:
                await database.close()

    asyncio.run(story())


def test_k3_a_server_that_says_nothing_to_anybody_is_given_up(postgres_url: str) -> None:
    async def story() -> None:
        with a_postgres_proxy(postgres_url) as proxy:
            database = open_database(proxy.url)

            def silenced(connection: Connection) -> int:
                _one(connection)
                proxy.answers_nobody = True
                proxy.silence()
                return _one(connection)

            try:
                async with asyncio.timeout(10):
                    with pytest.raises(Problem, match="storage_unavailable"):
                        await database.write(silenced)
                proxy.answers_nobody = False
                assert await database.write(_one) == 1
            finally:
                await database.close()

    asyncio.run(story())


def test_a_statement_that_takes_long_is_not_given_up(postgres_url: str) -> None:
    async def story() -> tuple[int, int]:
        database = open_database(postgres_url)

        def slowly(connection: Connection) -> int:
            connection.execute(text("SELECT pg_sleep(3)"))
            connection.execute(text("SELECT pg_sleep(3)"))
            return _one(connection)

        try:
            return await database.read(slowly), await database.write(slowly)
        finally:
            await database.close()

    assert asyncio.run(story()) == (1, 1)
