"""Hand-overs are believed only with a right and recent signature."""

import hashlib
import hmac

import pytest

from kaisoumail.auth.signatures import SignedHandover, envelope_of, sign
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
    assert envelope_of(_handover(), BODY, SECRET, NOON) == Envelope("a@x.example", "b@y.example")


def test_a_bounce_has_an_empty_sender() -> None:
    assert envelope_of(_handover(envelope_from=""), BODY, SECRET, NOON).sender == ""


@pytest.mark.parametrize("now", [NOON + 6 * MINUTE, NOON - 6 * MINUTE])
def test_an_old_or_future_hand_over_is_refused(now: object) -> None:
    with pytest.raises(Problem, match="Invalid signature"):
        envelope_of(_handover(), BODY, SECRET, now)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [{"signature": "0" * 64}, {"signature": ""}, {"signature": "ü"}, {"timestamp": "soon"}, {"timestamp": ""}],
)
def test_a_wrong_signature_or_time_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(Problem, match="Invalid signature"):
        envelope_of(_handover(**changes), BODY, SECRET, NOON)


def test_another_body_is_refused() -> None:
    with pytest.raises(Problem, match="Invalid signature"):
        envelope_of(_handover(), BODY + b"!", SECRET, NOON)


def test_another_secret_is_refused() -> None:
    with pytest.raises(Problem, match="Invalid signature"):
        envelope_of(_handover(), BODY, SECRET + "!", NOON)
