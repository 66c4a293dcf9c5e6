"""What an application beside the framework raises is answered as everywhere."""

import asyncio
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from litestar.exceptions import MethodNotAllowedException

from kaisoumail.errors import Problem
from kaisoumail.http.problems import with_problem_answers

SCOPE = {"type": "http", "method": "POST", "path": "/api/inbound", "headers": [], "state": {"request_id": "req_1"}}


def answered(error: BaseException) -> tuple[int, dict[bytes, bytes], dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise error

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def ask() -> None:
        with suppress(asyncio.CancelledError):
            await with_problem_answers(app)({**SCOPE, "query_string": b""}, None, send)

    asyncio.run(ask())
    return sent[0]["status"], dict(sent[0]["headers"]), msgspec.json.decode(b"".join(m["body"] for m in sent[1:]))


def test_a_problem_is_said_with_its_status_and_code() -> None:
    status, headers, body = answered(Problem("mailbox_unavailable", "Mailbox unavailable"))

    assert status == 422
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"cache-control"] == b"no-store"
    assert body["error"] == "Mailbox unavailable"
    assert body["details"]["code"] == "mailbox_unavailable"


def test_a_wrong_method_hears_which_are_right() -> None:
    status, headers, body = answered(MethodNotAllowedException(headers={"allow": "POST"}))

    assert status == 405
    assert headers[b"allow"] == b"POST"
    assert body["details"]["code"] == "method_not_allowed"


def test_a_bug_is_told_as_the_requests_id_and_logged(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, body = answered(ValueError("of no concern to a caller"))

    assert status == 500
    assert body["details"] == {"code": "internal", "requestId": "req_1"}
    assert "of no concern" in "".join(capsys.readouterr())


def test_who_is_still_waiting_when_the_server_stops_is_asked_to_come_back() -> None:
    status, _, body = answered(asyncio.CancelledError())

    assert status == 503
    assert body["details"]["code"] == "overloaded"
