"""What is remembered is believed for a moment, and never past a change."""

import asyncio

from kaisoumail.storage.ttl_cache import TtlCache


class Asked:
    """Something to read, which counts how often it was."""

    def __init__(self, value: str | None = "ada") -> None:
        self.value = value
        self.times = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self) -> str | None:
        self.times += 1
        value = self.value
        await self.gate.wait()
        return value


def test_the_same_is_read_once_in_a_while() -> None:
    async def work() -> None:
        now, asked = 0.0, Asked()
        remembered: TtlCache[str] = TtlCache(5, lambda: now)
        assert [await remembered.answer("key", asked.read) for _ in range(3)] == ["ada"] * 3
        assert asked.times == 1

        now = 5.0
        await remembered.answer("key", asked.read)
        assert asked.times == 2

    asyncio.run(work())


def test_what_was_not_found_is_asked_for_again() -> None:
    async def work() -> None:
        remembered, asked = TtlCache[str](), Asked(None)
        assert [await remembered.answer("key", asked.read) for _ in range(2)] == [None, None]
        assert asked.times == 2

    asyncio.run(work())


def test_after_a_change_nothing_is_believed() -> None:
    async def work() -> None:
        remembered, asked = TtlCache[str](), Asked()
        await remembered.answer("key", asked.read)
        asked.value = None

        remembered.forget()

        assert await remembered.answer("key", asked.read) is None

    asyncio.run(work())


def test_what_was_being_read_while_it_changed_is_not_kept() -> None:
    async def work() -> None:
        remembered, asked = TtlCache[str](), Asked()
        asked.gate.clear()
        reading = asyncio.create_task(remembered.answer("key", asked.read))
        await asyncio.sleep(0)
        asked.value = None
        remembered.forget()
        asked.gate.set()
        assert await reading == "ada"  # it asked before the change

        assert await remembered.answer("key", asked.read) is None

    asyncio.run(work())


def test_a_correction_does_not_prolong_what_is_believed() -> None:
    async def work() -> None:
        now, asked = 0.0, Asked()
        remembered: TtlCache[str] = TtlCache(5, lambda: now)
        was = await remembered.answer("key", asked.read)
        assert was is not None
        now = 4.0
        remembered.correct("key", was, "ada, seen")
        remembered.correct("another", was, "bob")
        assert await remembered.answer("key", asked.read) == "ada, seen"

        now = 5.0
        assert await remembered.answer("key", asked.read) == "ada"
        assert asked.times == 2

    asyncio.run(work())


def test_a_correction_of_what_was_known_before_a_change_is_too_late() -> None:
    async def work() -> None:
        remembered, asked = TtlCache[str](), Asked("ada the admin")
        was = await remembered.answer("key", asked.read)
        assert was is not None
        asked.value = "ada the member"
        remembered.forget()
        await remembered.answer("key", asked.read)

        remembered.correct("key", was, "ada the admin, seen")

        assert await remembered.answer("key", asked.read) == "ada the member"

    asyncio.run(work())


def test_it_holds_no_more_than_so_many() -> None:
    async def work() -> None:
        remembered, asked = TtlCache[str](most=3), Asked()
        for number in range(10):
            await remembered.answer(str(number), asked.read)
        assert len(remembered) <= 3

    asyncio.run(work())
