"""What the hand-over's endpoint does with bodies it has no use for; what it answers over HTTP is in tests/api."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from kaisoumail.errors import Problem
from kaisoumail.model.refusal_log import RefusalLog
from kaisoumail.model.user import RequestClient
from kaisoumail.network.memory_budget import MemoryBudget
from kaisoumail.smtp.webhook import HandoverLimits, handover_endpoint
from tests.builders import a_mailbox, an_email
from tests.contexts import a_context
from tests.handing_over import signed
from tests.people import NOON
from tests.servers import INBOUND_SECRET

MAILBOX = a_mailbox()
MAX = 20_000


def _memory(total: int) -> MemoryBudget:
    return MemoryBudget(total, free=0)


class Door:
    """One request at a time; *heard* is how many pieces of its body were asked for."""

    def __init__(
        self, folder: Path, ticketed: int = 10 * MAX, seconds: float = 60.0, unticketed: int = 10 * MAX
    ) -> None:
        self._folder = folder
        self.limits = HandoverLimits(MAX, _memory(ticketed), _memory(unticketed), seconds)
        self.refusals = RefusalLog()
        self.heard = 0
        self.sent: list[Any] = []

    def ask(self, pieces: Iterable[bytes], headers: dict[str, str], *, is_whole: bool = True) -> None:
        """Raises what the endpoint raises. With *is_whole* False the body never ends."""

        async def story() -> None:
            async with self.open() as endpoint:
                await endpoint(_scope(headers), self.received(pieces, is_whole=is_whole), self.send)

        asyncio.run(story())

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Any]:
        async with a_context(self._folder, MAILBOX) as context:
            yield handover_endpoint(context, INBOUND_SECRET, self.limits, self.refusals)

    def unfinished(self, piece: bytes) -> tuple[Any, asyncio.Event]:
        """A body that never goes on after *piece*, and what is set once that was taken."""
        taken = asyncio.Event()
        asked = 0

        async def receive() -> dict[str, Any]:
            nonlocal asked
            asked += 1
            if asked > 1:
                taken.set()
                await asyncio.Event().wait()
            return {"type": "http.request", "body": piece, "more_body": True}

        return receive, taken

    def received(self, pieces: Iterable[bytes], *, is_whole: bool = True) -> Any:
        left = list(pieces)

        async def receive() -> dict[str, Any]:
            self.heard += 1
            if not left:
                await asyncio.Event().wait()
            piece = left.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(left) or not is_whole}

        return receive

    async def send(self, message: Any) -> None:
        self.sent.append(message)


def _scope(headers: dict[str, str]) -> dict[str, Any]:
    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"method": "POST", "headers": given, "state": {"visit": RequestClient("192.0.2.1")}}


def _without_ticket(headers: dict[str, str]) -> dict[str, str]:
    """What an older Worker sends."""
    return {name: value for name, value in headers.items() if name != "x-kaisoumail-ticket"}


def _headers(raw: bytes, **changed: str) -> dict[str, str]:
    return {**signed(str(MAILBOX.address), raw, at=NOON), **changed}


def test_a_mail_is_taken_and_its_room_given_back(tmp_path: Path) -> None:
    raw, endpoint = an_email(), Door(tmp_path)

    endpoint.ask([raw[:100], raw[100:]], _headers(raw))

    assert endpoint.sent[0]["status"] == 200
    assert endpoint.limits.ticketed.used == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"x-kaisoumail-signature": ""},
        {"x-kaisoumail-signature": "0" * 63},
        {"x-kaisoumail-signature": "z" * 64},
        {"x-kaisoumail-timestamp": "1"},
        {"x-kaisoumail-timestamp": "now"},
    ],
)
def test_who_has_no_signature_to_show_sends_no_body(tmp_path: Path, changed: dict[str, str]) -> None:
    raw, endpoint = an_email(), Door(tmp_path)

    with pytest.raises(Problem) as refused:
        endpoint.ask([raw], _headers(raw, **changed))

    assert refused.value.code == "invalid_signature"
    assert endpoint.heard == 0


def test_when_there_is_no_room_the_sender_is_asked_to_come_back(tmp_path: Path) -> None:
    raw, endpoint = an_email(text="x" * 5_000), Door(tmp_path, ticketed=1_000)

    with pytest.raises(Problem) as refused:
        endpoint.ask([raw[:2_000], raw[2_000:]], _headers(raw))

    assert refused.value.code == "overloaded"
    assert endpoint.limits.ticketed.used == 0


def test_a_mail_that_is_too_large_is_heard_to_its_end_and_held_by_nobody(tmp_path: Path) -> None:
    endpoint = Door(tmp_path)

    with pytest.raises(Problem) as refused:
        endpoint.ask([b"x" * MAX, b"y", b"z" * MAX], _without_ticket(_headers(b"")))

    assert refused.value.code == "too_large"
    assert endpoint.heard == 3
    assert endpoint.limits.unticketed.used == 0


def test_a_flood_is_not_heard_to_its_end(tmp_path: Path) -> None:
    endpoint = Door(tmp_path)

    with pytest.raises(Problem) as refused:
        endpoint.ask([b"x" * MAX] * 50, _without_ticket(_headers(b"")))

    assert refused.value.code == "too_large"
    assert endpoint.heard == 5


def test_who_sends_too_slowly_is_asked_to_come_back(tmp_path: Path) -> None:
    raw, endpoint = an_email(), Door(tmp_path, seconds=0.0)

    with pytest.raises(Problem) as refused:
        endpoint.ask([raw[:100]], _headers(raw), is_whole=False)

    assert refused.value.code == "overloaded"
    assert endpoint.limits.ticketed.used == 0


@asynccontextmanager
async def _held_open(endpoint: Door, app: Any, headers: dict[str, str], count: int) -> AsyncIterator[None]:
    """Inside the block *count* hand-overs with *headers* are in the middle of their bodies, MAX / 2 bytes of each."""
    async with asyncio.TaskGroup() as group:
        tasks = []
        for _ in range(count):
            receive, taken = endpoint.unfinished(b"x" * (MAX // 2))
            tasks.append(group.create_task(app(_scope(headers), receive, endpoint.send)))
            await taken.wait()
        yield
        for task in tasks:
            task.cancel()


def test_i4_eleven_unfinished_hand_overs_without_a_ticket_leave_the_memory_to_those_with_one(tmp_path: Path) -> None:
    raw, endpoint = an_email(text="x" * 5_000), Door(tmp_path, ticketed=5 * MAX, unticketed=6 * MAX)
    false = _without_ticket(_headers(b"", **{"x-kaisoumail-signature": "0" * 64}))

    async def story() -> None:
        async with endpoint.open() as app, _held_open(endpoint, app, false, 11):
            await app(_scope(_headers(raw)), endpoint.received([raw[:2_000], raw[2_000:]]), endpoint.send)

    asyncio.run(story())

    assert endpoint.sent[0]["status"] == 200
    assert (endpoint.limits.ticketed.used, endpoint.limits.unticketed.used) == (0, 0)


def test_without_a_ticket_the_memory_for_those_is_all_there_is(tmp_path: Path) -> None:
    raw, endpoint = an_email(text="x" * 5_000), Door(tmp_path, unticketed=1_000)

    with pytest.raises(Problem) as refused:
        endpoint.ask([raw[:2_000], raw[2_000:]], _without_ticket(_headers(raw)))

    assert refused.value.code == "overloaded"
    assert endpoint.limits.unticketed.used == 0


def test_a_message_of_an_older_worker_is_taken(tmp_path: Path) -> None:
    raw, endpoint = an_email(), Door(tmp_path)

    endpoint.ask([raw[:100], raw[100:]], _without_ticket(_headers(raw)))

    assert endpoint.sent[0]["status"] == 200
    assert endpoint.limits.unticketed.used == 0


RAW = an_email()


@pytest.mark.parametrize("ticket", ["", f"{len(RAW)}:{'0' * 64}"])
def test_i4_with_a_wrong_ticket_not_a_byte_of_the_body_is_read(tmp_path: Path, ticket: str) -> None:
    endpoint = Door(tmp_path)

    with pytest.raises(Problem) as refused:
        endpoint.ask([RAW], _headers(RAW, **{"x-kaisoumail-ticket": ticket}))

    assert (refused.value.code, refused.value.details) == ("invalid_signature", {})
    assert endpoint.heard == 0
    assert endpoint.refusals.totals() == {"handover.ticket": 1}


def test_a_ticket_for_more_than_is_allowed_is_too_large_before_a_byte_is_read(tmp_path: Path) -> None:
    endpoint = Door(tmp_path)

    with pytest.raises(Problem) as refused:
        endpoint.ask([b"x"], _headers(b"x" * (MAX + 1)))

    assert refused.value.code == "too_large"
    assert endpoint.heard == 0


@pytest.mark.parametrize(
    ("pieces", "heard"),
    [
        ([RAW + b"!"], 1),
        ([RAW, b"!", b"!", b"!"], 2),
        ([RAW[:-1]], 1),
        ([RAW[:100], b""], 2),
        ([b""], 1),
    ],
)
def test_a_body_of_another_length_than_its_ticket_says_is_refused_as_soon_as_that_is_seen(
    tmp_path: Path, pieces: list[bytes], heard: int
) -> None:
    endpoint = Door(tmp_path)

    with pytest.raises(Problem) as refused:
        endpoint.ask(pieces, _headers(RAW))

    assert refused.value.code == "invalid_signature"
    assert endpoint.heard == heard
    assert endpoint.refusals.totals() == {"handover.length": 1}
    assert endpoint.limits.ticketed.used == 0


def test_i4_of_one_ticket_four_bodies_are_received_at_once_and_more_when_they_are_through(tmp_path: Path) -> None:
    raw, endpoint = an_email(text="x" * 15_000), Door(tmp_path)
    pieces = [raw[:2_000], raw[2_000:]]

    async def story() -> str:
        async with endpoint.open() as app:
            async with _held_open(endpoint, app, _headers(raw), 4):
                with pytest.raises(Problem) as fifth:
                    await app(_scope(_headers(raw)), endpoint.received(pieces), endpoint.send)
            await app(_scope(_headers(raw)), endpoint.received(pieces), endpoint.send)
        return fifth.value.code

    assert asyncio.run(story()) == "overloaded"
    assert endpoint.sent[0]["status"] == 200
    assert endpoint.limits.ticketed.used == 0


def test_a_seen_ticket_without_a_body_holds_no_more_than_sixty_four_requests(tmp_path: Path) -> None:
    raw, endpoint = an_email(), Door(tmp_path)

    async def story() -> str:
        async with endpoint.open() as app:
            async with asyncio.TaskGroup() as group:
                silent = [
                    group.create_task(app(_scope(_headers(raw)), endpoint.received([]), endpoint.send))
                    for _ in range(64)
                ]
                await asyncio.sleep(0)
                with pytest.raises(Problem) as next_one:
                    await app(_scope(_headers(raw)), endpoint.received([raw]), endpoint.send)
                for task in silent:
                    task.cancel()
            await app(_scope(_headers(raw)), endpoint.received([raw]), endpoint.send)
        return next_one.value.code

    assert asyncio.run(story()) == "overloaded"
    assert endpoint.sent[0]["status"] == 200


def test_with_a_seen_ticket_and_another_body_the_connection_stays_a_strangers(tmp_path: Path) -> None:
    raw, endpoint = an_email(), Door(tmp_path)
    scope = _scope(_headers(raw))

    async def story() -> None:
        async with endpoint.open() as app:
            with pytest.raises(Problem, match="Invalid signature"):
                await app(scope, endpoint.received([raw[::-1]]), endpoint.send)

    asyncio.run(story())

    assert scope["state"]["is_signed"] is False


def test_a_hundred_tries_with_a_wrong_secret_are_one_warning(tmp_path: Path) -> None:
    endpoint = Door(tmp_path)
    headers = _headers(RAW, **{"x-kaisoumail-ticket": f"{len(RAW)}:{'0' * 64}"})

    async def story() -> None:
        async with endpoint.open() as app:
            for _ in range(100):
                with pytest.raises(Problem, match="Invalid signature"):
                    await app(_scope(headers), endpoint.received([RAW]), endpoint.send)

    with structlog.testing.capture_logs() as lines:
        asyncio.run(story())

    refusals = [line for line in lines if line["event"] == "client.refused"]
    assert [(line["log_level"], line["kind"], line["client"]) for line in refusals] == [
        ("warning", "handover.ticket", "192.0.2.1")
    ]
    assert endpoint.refusals.totals() == {"handover.ticket": 100}


@pytest.mark.parametrize("has_ticket", [True, False])
def test_with_a_ticket_the_connection_is_no_strangers(tmp_path: Path, has_ticket: bool) -> None:
    endpoint, headers = Door(tmp_path), _headers(RAW)
    scope = _scope(headers if has_ticket else _without_ticket(headers))

    async def story() -> None:
        async with endpoint.open() as app:
            await app(scope, endpoint.received([RAW]), endpoint.send)

    asyncio.run(story())

    assert scope["state"]["is_signed"] is has_ticket
