"""Hand-overs are believed only with a right and recent signature."""

import hashlib
import hmac
from dataclasses import replace

import pytest

from kaisoumail.auth.signatures import (
    InvalidSignature,
    SignedHandover,
    Ticket,
    checked_ticket,
    sign,
    ticket_for,
    verified_envelope,
)
from kaisoumail.errors import Problem
from kaisoumail.model.message import Envelope
from tests.people import MINUTE, NOON

SECRET = "an-inbound-secret-of-enough-characters"
BODY = b"Subject: hi\r\n\r\nhi\r\n"
TIMESTAMP = str(int(NOON.timestamp()))


def _handover(**changes: str) -> SignedHandover:
    values = {"envelope_from": "a%40x.example", "envelope_to": "b@y.example", "timestamp": TIMESTAMP} | changes
    signature = sign(SECRET, values["timestamp"], values["envelope_from"], values["envelope_to"], BODY)
    return SignedHandover(**{"signature": signature, **values})


def test_the_signature_is_the_promised_formula() -> None:
    text = f"{TIMESTAMP}\na%40x.example\nb@y.example\n{hashlib.sha256(BODY).hexdigest()}"

    expected = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()

    assert _handover().signature == expected


def test_a_signed_hand_over_proves_its_envelope() -> None:
    assert verified_envelope(_handover(), BODY, SECRET, NOON) == Envelope("a@x.example", "b@y.example")


def test_a_bounce_has_an_empty_sender() -> None:
    assert verified_envelope(_handover(envelope_from=""), BODY, SECRET, NOON).sender == ""


@pytest.mark.parametrize("now", [NOON + 6 * MINUTE, NOON - 6 * MINUTE])
def test_an_old_or_future_hand_over_is_refused(now: object) -> None:
    with pytest.raises(Problem, match="Invalid signature"):
        verified_envelope(_handover(), BODY, SECRET, now)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [{"signature": "0" * 64}, {"signature": ""}, {"signature": "ü"}, {"timestamp": "soon"}, {"timestamp": ""}],
)
def test_a_wrong_signature_or_time_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(Problem, match="Invalid signature"):
        verified_envelope(_handover(**changes), BODY, SECRET, NOON)


def test_another_body_is_refused() -> None:
    with pytest.raises(Problem, match="Invalid signature"):
        verified_envelope(_handover(), BODY + b"!", SECRET, NOON)


def test_another_secret_is_refused() -> None:
    with pytest.raises(Problem, match="Invalid signature"):
        verified_envelope(_handover(), BODY, SECRET + "!", NOON)


def _with_ticket(ticket: str | None, **changes: str) -> SignedHandover:
    return replace(_handover(**changes), ticket=ticket)


def _ticket(length: int = len(BODY), secret: str = SECRET, timestamp: str = TIMESTAMP, to: str = "b@y.example") -> str:
    return ticket_for(secret, timestamp, "a%40x.example", to, length)


def test_the_ticket_is_the_promised_formula() -> None:
    text = f"ticket\n{TIMESTAMP}\na%40x.example\nb@y.example\n18"

    expected = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()

    assert _ticket(18) == f"18:{expected}"


@pytest.mark.parametrize("length", [0, 1, len(BODY), 26_214_400, 10**11])
def test_a_ticket_proves_how_long_the_body_will_be(length: int) -> None:
    value = _ticket(length)

    assert checked_ticket(_with_ticket(value), SECRET, NOON) == Ticket(value, length)


def test_a_ticket_in_capitals_is_the_same_ticket() -> None:
    assert checked_ticket(_with_ticket(_ticket().upper()), SECRET, NOON) == Ticket(_ticket(), len(BODY))


def test_an_older_worker_has_no_ticket() -> None:
    assert checked_ticket(_with_ticket(None), SECRET, NOON) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        _ticket().partition(":")[2],
        f"{len(BODY)}:",
        f"{len(BODY)}:{'0' * 64}",
        f"{len(BODY) + 1}:{_ticket().partition(':')[2]}",
        f"0{_ticket()}",
        f"+{_ticket()}",
        f" {_ticket()} ",
        f"{_ticket()}\n",
        f"{_ticket()},{_ticket()}",
        f"{'9' * 5000}:{'0' * 64}",
        f"²:{'0' * 64}",
        f"{len(BODY)}:{'ü' * 64}",
        _ticket(-1),
        _ticket(10**12),
        _ticket(secret="x" * 40),
        _ticket(to="bob@y.example"),
        _ticket(timestamp=str(int(NOON.timestamp()) + 1)),
        f"{len(BODY)}:{sign(SECRET, TIMESTAMP, 'a%40x.example', 'b@y.example', BODY)}",
    ],
)
def test_what_is_no_ticket_for_this_hand_over_is_refused(value: str) -> None:
    with pytest.raises(InvalidSignature) as refused:
        checked_ticket(_with_ticket(value), SECRET, NOON)

    assert (refused.value.fault, refused.value.details) == ("ticket", {})


@pytest.mark.parametrize("timestamp", ["", "soon", "1", str(int(NOON.timestamp()) + 301)])
@pytest.mark.parametrize("has_ticket", [True, False])
def test_a_wrong_time_is_known_as_such_before_the_body(timestamp: str, has_ticket: bool) -> None:
    ticket = _ticket(timestamp=timestamp) if has_ticket else None

    with pytest.raises(InvalidSignature) as refused:
        checked_ticket(_with_ticket(ticket, timestamp=timestamp), SECRET, NOON)

    assert refused.value.fault == "time"


def test_a_ticket_is_no_signature() -> None:
    digits = _ticket().partition(":")[2]

    with pytest.raises(InvalidSignature) as refused:
        verified_envelope(_handover(signature=digits), BODY, SECRET, NOON)

    assert refused.value.fault == "signature"
