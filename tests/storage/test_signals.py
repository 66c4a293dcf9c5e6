"""Whoever listens first and looks second misses nothing."""

import asyncio
import gc
from collections.abc import Awaitable, Callable

import psycopg
import pytest
from sqlalchemy import make_url

from kaisoumail.errors import Problem
from kaisoumail.storage.engine.postgres_signals import PostgresSignals, open_signals
from kaisoumail.storage.engine.signals import CHANNEL, Listener, Signals
from tests.polling import PATIENCE_SECONDS
from tests.postgres_proxy import a_postgres_proxy


def _with_signals(url: str, work: Callable[[Signals, Signals], Awaitable[None]]) -> None:
    """Run *work* with the signals of two processes that share a database (or of one, with SQLite)."""

    async def opened() -> None:
        here = await open_signals(url)
        there = here if url.startswith("sqlite") else await open_signals(url)
        try:
            await work(here, there)
        finally:
            await here.close()
            if there is not here:
                await there.close()

    asyncio.run(opened())


async def _commit(url: str, signals: Signals, topic: str) -> None:
    """What a transaction that changed something of *topic* does when it is committed by the process of *signals*."""
    if url.startswith("sqlite"):
        signals.wake([topic])
        return
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, topic])


def test_a_signal_wakes_who_listens(database_url: str) -> None:
    async def work(here: Signals, there: Signals) -> None:
        async with here.listening("mailbox:1") as listener:
            await _commit(database_url, there, "mailbox:1")
            assert await listener.woken(10)

    _with_signals(database_url, work)


@pytest.mark.parametrize("turns", range(4))
def test_a_waiter_that_is_cancelled_as_it_is_woken_ends(turns: int) -> None:
    async def run() -> bool:
        listener = Listener()
        went_on = False

        async def waits() -> None:
            nonlocal went_on
            await listener.woken(60)
            await asyncio.sleep(0)  # where a cancellation that comes after the signal ends it
            await asyncio.sleep(0)
            went_on = True

        task = asyncio.create_task(waits())
        for _ in range(3):
            await asyncio.sleep(0)
        listener.wake()
        for _ in range(turns):
            await asyncio.sleep(0)
        if task.done() or went_on:
            return True
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert asyncio.run(run())


def test_a_signal_of_another_topic_does_not(database_url: str) -> None:
    async def work(here: Signals, there: Signals) -> None:
        async with here.listening("mailbox:1", "user:1") as listener:
            await _commit(database_url, there, "mailbox:2")
            await _commit(database_url, there, "user:1")
            assert await listener.woken(10)
            assert not await listener.woken(0)

    _with_signals(database_url, work)


def test_a_signal_between_listening_and_waiting_is_remembered(database_url: str) -> None:
    async def work(here: Signals, there: Signals) -> None:
        async with here.listening("a") as first, here.listening("a") as second:
            await _commit(database_url, there, "a")
            assert await first.woken(10)
            assert await second.woken(10)

    _with_signals(database_url, work)


def test_nobody_is_woken_when_the_time_is_over(database_url: str) -> None:
    async def work(here: Signals, _: Signals) -> None:
        async with here.listening("a") as listener:
            assert not await listener.woken(0.01)

    _with_signals(database_url, work)


def test_many_signals_at_once_are_all_told(database_url: str) -> None:
    async def work(here: Signals, there: Signals) -> None:
        topics = [f"mailbox:{n}" for n in range(50)]
        async with here.listening(topics[-1]) as listener:
            await asyncio.gather(*(_commit(database_url, there, topic) for topic in topics))
            assert await listener.woken(10)

    _with_signals(database_url, work)


def test_after_a_lost_connection_everybody_is_woken_to_look_again(postgres_url: str) -> None:
    async def work(here: Signals, _: Signals) -> None:
        async with here.listening("a") as listener:
            await asyncio.to_thread(_cut_connections, postgres_url)
            assert await listener.woken(30)
            await _commit(postgres_url, here, "a")
            assert await listener.woken(30)

    _with_signals(postgres_url, work)


def test_ending_in_the_middle_of_a_reconnection_leaves_no_socket_open(postgres_url: str) -> None:
    async def work(here: Signals, _: Signals) -> None:
        await asyncio.to_thread(_cut_connections, postgres_url)

    for _ in range(20):  # each is caught at another moment
        _with_signals(postgres_url, work)
    gc.collect()  # an open socket is said now, and fails this test


def _cut_connections(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_database_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(Problem, match="cannot be used"):
        asyncio.run(open_signals("postgresql://nobody@127.0.0.1:1/nothing"))


def test_at_the_end_everybody_is_told_that_nothing_will_come_and_so_is_who_begins_to_listen(database_url: str) -> None:
    async def work(here: Signals, _: Signals) -> None:
        async with here.listening("a") as listener:
            here.end()
            assert not await listener.woken(60)
            async with here.listening("a") as late:
                assert late.is_over
                assert here.waiting == 2
        assert here.waiting == 0

    _with_signals(database_url, work)


def test_k2_a_storm_of_lost_connections_leaves_nobody_deaf(postgres_url: str) -> None:
    async def work(here: Signals, there: Signals) -> None:
        async with here.listening("a") as listener:
            for _ in range(60):  # each meets the reconnection at another moment
                await asyncio.to_thread(_cut_connections, postgres_url)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (here.is_connected and there.is_connected):
                    await listener.woken(0.1)
            while await listener.woken(0):
                pass
            await _commit(postgres_url, there, "a")
            assert await listener.woken(30)

    async def opened() -> None:
        both = [await PostgresSignals(make_url(postgres_url), reconnect=0).open() for _ in range(2)]
        try:
            await work(*both)
        finally:
            for each in both:
                await each.close()

    asyncio.run(asyncio.wait_for(opened(), 120))


def test_k3_a_listening_connection_that_went_silent_is_replaced_and_everybody_looks_again(postgres_url: str) -> None:
    async def story() -> None:
        with a_postgres_proxy(postgres_url) as proxy:
            here = await PostgresSignals(make_url(proxy.url)).open()
            there = await open_signals(postgres_url)
            try:
                async with here.listening("a") as listener:
                    proxy.silence()
                    await _commit(postgres_url, there, "a")
                    async with asyncio.timeout(10):  # as docs/how-it-works/postgresql.md promises
                        assert await listener.woken(60)
                    await _commit(postgres_url, there, "a")
                    assert await listener.woken(60)
            finally:
                await here.close()
                await there.close()

    asyncio.run(story())
