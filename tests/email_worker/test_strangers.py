"""Whatever stands where KaisouMail should, and whatever a mail's envelope says: never accepted without being stored."""

import json

import pytest

from tests.cloudflare_sandbox.worker_target import worker_target
from tests.email_worker.runtime import SECRET, Runtime
from tests.email_worker.strange_server import (
    Behaviour,
    hangs_up,
    never_ends,
    says,
    stays_silent,
    stops_in_the_middle,
    strange_server,
)
from tests.ports import reserved_port

MAIL = b"From: shop@shop.example\r\n\r\nA body nobody else should see.\r\n"
STORED = b'{"outcome":"stored","messageId":"msg_1"}'
SOON = "0.5"


def _problem(code: object, error: object = "Mailbox unavailable") -> bytes:
    return json.dumps({"error": error, "details": {"code": code}}).encode()


@pytest.mark.parametrize(
    "behaviour",
    [
        says("200 OK", b"<html>Please sign in</html>", "content-type: text/html"),
        says("200 OK", b""),
        says("200 OK", b"null"),
        says("200 OK", b'"stored"'),
        says("200 OK", b'{"outcome":"stored"'),
        says("200 OK", b'{"outcome":["stored"]}'),
        says("200 OK", b'{"outcome":"queued"}'),
        says("200 OK", b" " * 20_000 + STORED),
        says("200 OK", b"[" * 15_000),
        says("201 Created", STORED),
        says("202 Accepted", STORED),
        says("204 No Content", b""),
        says("401 Unauthorized", _problem("invalid_signature")),
        says("403 Forbidden", _problem("mailbox_unavailable")),
        says("404 Not Found", _problem("mailbox_unavailable")),
        says("422 Unprocessable", _problem("invalid_request")),
        says("422 Unprocessable", _problem(["mailbox_unavailable"])),
        says("422 Unprocessable", b"mailbox_unavailable"),
        says("422 Unprocessable", b'{"error":"Mailbox unavailable"}'),
        says("429 Too Many Requests", _problem("mailbox_unavailable")),
        says("500 Internal Server Error", STORED),
        says("503 Service Unavailable", _problem("inbound_closed")),
        hangs_up,
        never_ends,
    ],
)
def test_an_answer_that_is_not_kaisoumails_makes_the_sender_try_again(
    email_worker: Runtime, behaviour: Behaviour
) -> None:
    with strange_server(behaviour) as server:
        ending = email_worker.hand_over(server.url, MAIL)

    assert ending.end == "threw"
    assert server.requests == 1


@pytest.mark.parametrize("behaviour", [stays_silent, stops_in_the_middle])
def test_a_server_that_does_not_finish_is_given_up(email_worker: Runtime, behaviour: Behaviour) -> None:
    with strange_server(behaviour) as server:
        ending = email_worker.hand_over(server.url, MAIL, INBOUND_TIMEOUT_SECONDS=SOON)

    assert ending.end == "threw"
    assert "timeout" in ending.text


def test_nobody_there_makes_the_sender_try_again(email_worker: Runtime) -> None:
    assert email_worker.hand_over(f"http://127.0.0.1:{reserved_port()}", MAIL).end == "threw"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed(email_worker: Runtime, status: str) -> None:
    with (
        strange_server(says("200 OK", STORED)) as elsewhere,
        strange_server(says(status, STORED, f"location: {elsewhere.url}/login")) as server,
    ):
        ending = email_worker.hand_over(server.url, MAIL)

    assert ending.end == "threw"
    assert (server.requests, elsewhere.requests) == (1, 0)


@pytest.mark.parametrize(
    ("behaviour", "text"),
    [
        (says("422 Unprocessable", _problem("mailbox_unavailable")), "Mailbox unavailable"),
        (says("413 Content Too Large", _problem("too_large", "Too large")), "Too large"),
        (says("413 Content Too Large", b"<html>nginx</html>"), "Message too large"),
        (says("413 Content Too Large", _problem("too_large", {"a": 1})), "Message too large"),
        (says("413 Content Too Large", _problem("too_large", "Zu groß\r\n250 Ok\0")), "Zu gro 250 Ok"),
        (says("413 Content Too Large", _problem("too_large", "x" * 10_000)), "x" * 200),
    ],
)
def test_what_is_refused_for_good_is_rejected_in_one_line(
    email_worker: Runtime, behaviour: Behaviour, text: str
) -> None:
    with strange_server(behaviour) as server:
        ending = email_worker.hand_over(server.url, MAIL)

    assert (ending.end, ending.text) == ("rejected", text)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada@mail.customer.com",
        "ada@mail.customer.com\r\nx-kaisoumail-timestamp: 1",
        "ada\n0\n@mail.customer.com",
        "100%25@mail.customer.com",
        "ada%0a@mail.customer.com",
        "安達+ü@mail.customer.com",
        "\U0001f4e7@mail.customer.com",
        '"a b\\"(c)!*\'~"@mail.customer.com',
        " ada@mail.customer.com ",
        "\0\x7f",
        "a" * 900,
    ],
)
def test_any_envelope_arrives_as_it_was_and_signed(email_worker: Runtime, address: str) -> None:
    with worker_target() as target:
        ending = email_worker.hand_over(_origin(target.url), MAIL, to=address, sender=address)

    assert ending.end == "accepted"
    assert target.arrived == [(address, address, MAIL)]
    assert target.tickets_are_right == [True]


@pytest.mark.parametrize(
    "raw", [b"", b"\0", b"\r\n", bytes(range(256)), "Subject: ü\n\n".encode("latin-1"), b"x" * 100_000]
)
@pytest.mark.parametrize("told_size", [0, 1, 26_214_401])
def test_the_bytes_arrive_as_they_were_whatever_their_size_is_said_to_be(
    email_worker: Runtime, raw: bytes, told_size: int
) -> None:
    with worker_target() as target:
        ending = email_worker.hand_over(_origin(target.url), raw, size=told_size)

    assert ending.end == "accepted"
    assert [body for _, _, body in target.arrived] == [raw]
    assert target.tickets_are_right == [True]


@pytest.mark.parametrize(
    ("bindings", "named"),
    [
        ({"INBOUND_SECRET": SECRET}, "KAISOUMAIL_URL"),
        ({"INBOUND_SECRET": SECRET, "KAISOUMAIL_URL": ""}, "KAISOUMAIL_URL"),
        ({"INBOUND_SECRET": SECRET, "KAISOUMAIL_URL": "mail.example.com"}, "KAISOUMAIL_URL"),
        ({"KAISOUMAIL_URL": "http://127.0.0.1:1"}, "INBOUND_SECRET"),
        ({"KAISOUMAIL_URL": "http://127.0.0.1:1", "INBOUND_SECRET": ""}, "INBOUND_SECRET"),
        *(
            (
                {"KAISOUMAIL_URL": "http://127.0.0.1:1", "INBOUND_SECRET": SECRET, "INBOUND_TIMEOUT_SECONDS": seconds},
                "INBOUND_TIMEOUT_SECONDS",
            )
            for seconds in ("soon", "0", "-1", "301", "Infinity")
        ),
    ],
)
def test_missing_configuration_is_named_and_the_sender_tries_again(
    email_worker: Runtime, bindings: dict[str, str], named: str
) -> None:
    event = {"from": "a@b.example", "to": "c@d.example", "rawSize": len(MAIL), "env": bindings}

    ending = email_worker.event(event, MAIL)

    assert ending.end == "threw"
    assert named in ending.text


def test_no_log_and_no_error_repeats_the_secret_the_envelope_or_the_mail(email_worker: Runtime) -> None:
    texts = []
    for behaviour in (says("200 OK", MAIL), says("401 Unauthorized", MAIL), hangs_up):
        with strange_server(behaviour) as server:
            texts.append(email_worker.hand_over(server.url, MAIL, to="ada@mail.customer.com").text)

    told = email_worker.log() + "".join(texts)

    assert not any(word in told for word in (SECRET, "ada@", "no-reply@", "nobody else should see"))


def _origin(url: str) -> str:
    return url.removesuffix("/api/inbound")
