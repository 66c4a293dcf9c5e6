"""What the hand-over's door does with bodies it has no use for; what it answers over HTTP is in tests/api."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from kaisoumail.errors import Problem
from kaisoumail.inbound.room import Room
from kaisoumail.inbound.webhook import handover_door
from tests.builders import a_mailbox, an_email
from tests.contexts import a_context
from tests.handing_over import signed
from tests.people import NOON
from tests.servers import INBOUND_SECRET

MAILBOX = a_mailbox()
MAX = 20_000


class Door:
    """One request at a time; *heard* is how many pieces of its body were asked for."""

    def __init__(self, folder: Path, room: int = 10 * MAX, patience: float = 60.0) -> None:
        self._folder = folder
        self._patience = patience
        self.room = Room(room)
        self.heard = 0
        self.sent: list[Any] = []

    def ask(self, pieces: Iterable[bytes], headers: dict[str, str], *, is_whole: bool = True) -> None:
        """Raises what the door raises. With *is_whole* False the body never ends."""

        async def story() -> None:
            async with a_context(self._folder, MAILBOX) as context:
                door = handover_door(context, INBOUND_SECRET, MAX, self.room, self._patience)
                scope = {"method": "POST", "headers": [(n.encode(), v.encode()) for n, v in headers.items()]}
                await door(scope, self._received(list(pieces), is_whole), self._send)

        asyncio.run(story())

    def _received(self, left: list[bytes], is_whole: bool) -> Any:
        async def receive() -> dict[str, Any]:
            self.heard += 1
            if not left:
                await asyncio.Event().wait()
            piece = left.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(left) or not is_whole}

        return receive

    async def _send(self, message: Any) -> None:
        self.sent.append(message)


def _headers(raw: bytes, **changed: str) -> dict[str, str]:
    return {**signed(str(MAILBOX.address), raw, at=NOON), **changed}


def test_a_mail_is_taken_and_its_room_given_back(tmp_path: Path) -> None:
    raw, door = an_email(), Door(tmp_path)

    door.ask([raw[:100], raw[100:]], _headers(raw))

    assert door.sent[0]["status"] == 200
    assert door.room.left == 10 * MAX


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
    raw, door = an_email(), Door(tmp_path)

    with pytest.raises(Problem) as refused:
        door.ask([raw], _headers(raw, **changed))

    assert refused.value.code == "invalid_signature"
    assert door.heard == 0


def test_when_there_is_no_room_the_sender_is_asked_to_come_back(tmp_path: Path) -> None:
    raw, door = an_email(text="x" * 5_000), Door(tmp_path, room=1_000)

    with pytest.raises(Problem) as refused:
        door.ask([raw[:2_000], raw[2_000:]], _headers(raw))

    assert refused.value.code == "overloaded"
    assert door.room.left == 1_000


def test_a_mail_that_is_too_large_is_heard_to_its_end_and_held_by_nobody(tmp_path: Path) -> None:
    door = Door(tmp_path, room=2 * MAX)

    with pytest.raises(Problem) as refused:
        door.ask([b"x" * MAX, b"y", b"z" * MAX], _headers(b""))

    assert refused.value.code == "too_large"
    assert door.heard == 3
    assert door.room.left == 2 * MAX


def test_a_flood_is_not_heard_to_its_end(tmp_path: Path) -> None:
    door = Door(tmp_path)

    with pytest.raises(Problem) as refused:
        door.ask([b"x" * MAX] * 50, _headers(b""))

    assert refused.value.code == "too_large"
    assert door.heard == 5


def test_who_sends_too_slowly_is_asked_to_come_back(tmp_path: Path) -> None:
    raw, door = an_email(), Door(tmp_path, patience=0.0)

    with pytest.raises(Problem) as refused:
        door.ask([raw[:100]], _headers(raw), is_whole=False)

    assert refused.value.code == "overloaded"
    assert door.room.left == 10 * MAX
