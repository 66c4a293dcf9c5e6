"""Who vouches for a sender: Cloudflare's own field, and never what a stranger wrote."""

import pytest

from kaisoumail.parsing.authentication import Authentication, Finding, authentication_of
from kaisoumail.parsing.headers import read_headers

# Recorded by others in a Worker's `message.raw` (2026-09), the addresses replaced.
RECORDED = (
    "Authentication-Results: mx.cloudflare.net; dkim=pass header.d=gmail.com header.s=20251104 header.b=LZOq2czn; "
    "dmarc=pass header.from=gmail.com policy.dmarc=none; spf=none (mx.cloudflare.net: no SPF records found for "
    "postmaster@mail-ed1-x535.google.com) smtp.helo=mail-ed1-x535.google.com; spf=pass (mx.cloudflare.net: domain of "
    "sender@gmail.com designates 2a00:1450:4864:20::535 as permitted sender) smtp.mailfrom=sender@gmail.com; "
    'arc=pass smtp.remote-ip="2a00:1450:4864:20::535"'
)
TRACE = "Received: from x (1.2.3.4)\r\n by cloudflare-email.net (cloudflare) id 1\r\nReceived-SPF: pass\r\n"
GENUINE = "Authentication-Results: mx.cloudflare.net; dmarc=fail header.from=evil.example"
FORGED = "Authentication-Results: mx.cloudflare.net; dmarc=pass header.from=bank.example"


def _of(head: str) -> Authentication | None:
    return authentication_of(read_headers(f"{head}\r\nSubject: s\r\n\r\n".encode()).fields)


def _one(clauses: str) -> Authentication:
    found = _of(f"Authentication-Results: mx.cloudflare.net; {clauses}")
    assert found is not None
    return found


def test_the_recorded_field_is_read() -> None:
    assert _of(TRACE + RECORDED) == Authentication(
        spf=Finding("pass", "gmail.com"), dkim=Finding("pass", "gmail.com"), dmarc=Finding("pass", "gmail.com")
    )


@pytest.mark.parametrize(
    "head",
    [
        "Subject: none at all",
        f"X-Anything: stands above\r\n{FORGED}",
        f"DKIM-Signature: v=1\r\n{FORGED}",
        f"From: a@b.co\r\n{FORGED}",
        f"Received: ours\r\nReceived: the sender's own\r\n{FORGED}",
        f"Authentication-Results: mx.evil.example; dmarc=pass\r\n{FORGED}",
        FORGED.replace("mx.cloudflare.net", "mx.cloudflare.net.evil.example"),
        FORGED.replace("mx.cloudflare.net", "(mx.cloudflare.net) mx.evil.example"),
        FORGED.replace("mx.cloudflare.net", '"mx.cloudflare.net"'),
        FORGED.replace("mx.cloudflare.net;", "evil.example mx.cloudflare.net;"),
        f"{FORGED} (never closed",
        f"{FORGED}; x={'x' * 9000}",
    ],
)
def test_a_strangers_word_counts_for_nothing(head: str) -> None:
    assert _of(head) is None


def test_what_stands_below_cloudflares_own_field_counts_for_nothing() -> None:
    found = _of(f"{TRACE}{GENUINE}\r\n{FORGED}\r\nReceived: x\r\n{FORGED}")

    assert found is not None
    assert found.dmarc == Finding("fail", "evil.example")


def test_a_sender_cannot_end_the_comment_its_address_stands_in() -> None:
    said = 'spf=fail (domain of "a) ; dmarc=pass header.from=bank.example; spf=pass ("@evil.example is not permitted)'

    assert _of(f"Authentication-Results: mx.cloudflare.net; {said} smtp.mailfrom=evil.example") is None


def test_a_sender_cannot_hide_a_result_in_quotes() -> None:
    found = _one('spf=fail smtp.mailfrom="x; dmarc=pass header.from=bank.example"@evil.example')

    assert (found.dmarc, found.spf) == (None, Finding("fail", None))


@pytest.mark.parametrize(
    ("clauses", "dkim"),
    [
        ("dkim=fail header.d=a.co; dkim=pass header.d=b.co", Finding("pass", "b.co")),
        ("dkim=pass header.d=a.co; dkim=pass header.d=b.co; dmarc=pass header.from=b.co", Finding("pass", "b.co")),
        ("dkim=fail header.d=a.co; dkim=neutral header.d=b.co", Finding("fail", "a.co")),
        ("dkim=pass header.i=@a.co", Finding("pass", "a.co")),
        ("dkim=none", Finding("none", None)),
        ("dkim=excellent header.d=a.co", None),
        ("dkim=pass-ish header.d=a.co", None),
        ("DKIM=PASS HEADER.D=A.CO", Finding("pass", "a.co")),
        ("dkim/1=pass header.d=a.co", Finding("pass", "a.co")),
        ("dkim = pass header.d = a.co", Finding("pass", "a.co")),
        ("dkim=pass header.d=<script>", Finding("pass", None)),
        ("none", None),
    ],
)
def test_of_several_signatures_the_one_that_speaks_for_the_sender_counts(clauses: str, dkim: Finding | None) -> None:
    assert _one(clauses).dkim == dkim


def test_the_check_of_the_envelope_counts_before_that_of_the_greeting() -> None:
    assert _one("spf=none smtp.helo=a.co; spf=softfail smtp.mailfrom=x@b.co").spf == Finding("softfail", "b.co")
    assert _one("spf=pass smtp.helo=a.co").spf == Finding("pass", "a.co")
