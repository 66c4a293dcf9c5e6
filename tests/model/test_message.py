"""The identity of a hand-over."""

from kaisoumail.model.message import Envelope, delivery_key, digest_of

RAW = b"Subject: hi\r\n\r\nhi\r\n"


def test_the_same_envelope_and_bytes_are_the_same_hand_over() -> None:
    assert delivery_key(Envelope("a@x.example", "b@y.example"), digest_of(RAW)) == delivery_key(
        Envelope("a@x.example", "B@Y.example"), digest_of(RAW)
    )


def test_another_sender_recipient_or_byte_is_another() -> None:
    keys = {
        delivery_key(Envelope("a@x.example", "b@y.example"), digest_of(RAW)),
        delivery_key(Envelope("c@x.example", "b@y.example"), digest_of(RAW)),
        delivery_key(Envelope("a@x.example", "c@y.example"), digest_of(RAW)),
        delivery_key(Envelope("a@x.example", "b@y.example"), digest_of(RAW + b" ")),
        delivery_key(Envelope("a@x.exampleb", "@y.example"), digest_of(RAW)),
    }

    assert len(keys) == 5
