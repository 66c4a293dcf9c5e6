"""Asking together: one question for many, and nobody pays for a neighbour's mistake."""

import asyncio
from collections.abc import Sequence

import pytest

from kaisoumail.errors import Problem
from kaisoumail.storage.engine.batching import MOST_TOGETHER, Batcher


class _Asked:
    """Doubles numbers; remembers the batches it was asked in."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.was_asked = asyncio.Event()

    async def __call__(self, numbers: Sequence[int]) -> list[int | Problem]:
        self.batches.append(list(numbers))
        self.was_asked.set()
        await asyncio.sleep(0)
        if 13 in numbers:
            raise ValueError("thirteen")
        if 99 in numbers:
            raise Problem("storage_unavailable", "gone")
        return [Problem("mailbox_unavailable", "seven") if number == 7 else 2 * number for number in numbers]


def _answers(asked: _Asked, numbers: Sequence[int]) -> list[int | BaseException]:
    async def all_at_once() -> list[int | BaseException]:
        gathered = Batcher(asked)
        return await asyncio.gather(*(gathered.answer(number) for number in numbers), return_exceptions=True)

    return asyncio.run(all_at_once())


def test_those_of_a_moment_are_asked_together_and_each_gets_its_own_answer() -> None:
    asked = _Asked()

    assert _answers(asked, range(1, 5)) == [2, 4, 6, 8]

    assert asked.batches == [[1, 2, 3, 4]]


def test_those_who_come_meanwhile_go_with_the_next() -> None:
    asked = _Asked()

    async def story() -> list[int]:
        gathered = Batcher(asked)
        first = asyncio.create_task(gathered.answer(1))
        await asked.was_asked.wait()
        later = [asyncio.create_task(gathered.answer(number)) for number in (2, 3)]
        return [await task for task in (first, *later)]

    assert asyncio.run(story()) == [2, 4, 6]
    assert asked.batches == [[1], [2, 3]]


def test_no_batch_is_larger_than_it_may_be() -> None:
    asked = _Asked()

    _answers(asked, [1] * (MOST_TOGETHER + 1))

    assert [len(batch) for batch in asked.batches] == [MOST_TOGETHER, 1]


def test_one_that_is_refused_is_told_so_and_the_others_are_answered() -> None:
    first, refused, last = _answers(_Asked(), [6, 7, 8])

    assert (first, last) == (12, 16)
    assert isinstance(refused, Problem)
    assert refused.code == "mailbox_unavailable"


def test_one_that_breaks_the_question_is_asked_alone() -> None:
    first, broken, last = _answers(_Asked(), [12, 13, 14])

    assert (first, last) == (24, 28)
    assert isinstance(broken, ValueError)


def test_when_the_store_is_gone_nobody_is_asked_again() -> None:
    asked = _Asked()

    outcomes = _answers(asked, [1, 99, 2])

    assert [getattr(outcome, "code", None) for outcome in outcomes] == ["storage_unavailable"] * 3
    assert len(asked.batches) == 1


def test_who_gave_up_waiting_does_not_disturb_the_others() -> None:
    async def story() -> int:
        gathered = Batcher(_Asked())
        impatient, patient = (asyncio.create_task(gathered.answer(number)) for number in (1, 2))
        await asyncio.sleep(0)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        return await patient

    assert asyncio.run(story()) == 4
