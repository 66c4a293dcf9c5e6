"""The mail port: who is known, what happens to the mail, and the words a sending server hears."""

import re
import smtplib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cloudflare_sandbox.pretend import Pretend, result, rule_for
from tests.cloudflare_sandbox.worker_target import SECRET, Target, worker_target

MAIL = b"From: Ada <ada@sender.example>\r\nTo: bob@example.com\r\nSubject: Hi\r\n\r\n.dots\r\nand \xff bytes\r\n"


@pytest.fixture
def target(cloudflare: Pretend) -> Iterator[Target]:
    """Where the script `inbound` hands mail over to."""
    with worker_target() as receiver:
        body = {"target": receiver.url, "secret": SECRET}
        cloudflare.controls.put("/workers/inbound", json=body).raise_for_status()
        yield receiver


def _catch_all(cloudflare: Pretend, path: str, action: dict[str, Any]) -> None:
    body = {"matchers": [{"type": "all"}], "actions": [action], "enabled": True}
    result(cloudflare.api.put(f"{path}/email/routing/rules/catch_all", json=body))


def _rule(cloudflare: Pretend, path: str, address: str, **change: Any) -> str:
    made = result(cloudflare.api.post(f"{path}/email/routing/rules", json={**rule_for(address), **change}))
    return f"{path}/email/routing/rules/{made['id']}"


def _is_unknown(reply: tuple[int, str]) -> bool:
    return reply[0] == 550 and reply[1].startswith("5.1.1 Address does not exist")


def test_a_mail_for_a_rule_is_handed_over_signed_with_trace_headers_before_it(
    cloudflare: Pretend, target: Target
) -> None:
    _rule(cloudflare, cloudflare.routing_zone(), "bob@example.com")

    assert cloudflare.send("Bob@Example.com", MAIL) == (250, "")

    ((sender, recipient, raw),) = target.arrived
    assert target.tickets_are_right == [True]
    assert (sender, recipient) == ("ada@sender.example", "Bob@Example.com")
    trace = raw.removesuffix(MAIL).decode()
    assert raw.endswith(MAIL)
    assert re.match(r"Received: from mail\.sender\.example \(127\.0\.0\.1\)\r\n +by cloudflare-email\.net", trace)
    assert "\r\nAuthentication-Results: mx.cloudflare.net; dkim=none; dmarc=none header.from=sender.example " in trace
    assert 'smtp.mailfrom=ada@sender.example; arc=none smtp.remote-ip="127.0.0.1"\r\n' in trace


def test_addresses_nobody_has_do_not_exist(cloudflare: Pretend, target: Target) -> None:
    cloudflare.pending_zone("pending.com")
    off, on = cloudflare.active_zone("off.com"), cloudflare.routing_zone("on.com")
    _rule(cloudflare, off, "bob@off.com")
    _rule(cloudflare, on, "bob@sub.on.com")
    _rule(cloudflare, on, "eve@on.com", enabled=False)

    for address in ("x@unknown.com", "x@pending.com", "bob@off.com", "bob@sub.on.com", "eve@on.com", "x@on.com"):
        assert _is_unknown(cloudflare.send(address, MAIL)), address

    assert target.arrived == []


def test_a_subdomains_rule_delivers_once_the_subdomain_is_switched_on(cloudflare: Pretend, target: Target) -> None:
    path = cloudflare.routing_zone()
    _rule(cloudflare, path, "a@x.example.com")
    assert _is_unknown(cloudflare.send("a@x.example.com", MAIL))

    result(cloudflare.api.post(f"{path}/email/routing/dns", json={"name": "x.example.com"}))
    assert cloudflare.send("a@x.example.com", MAIL) == (250, "")

    result(cloudflare.api.post(f"{path}/email/routing/disable", json={"name": "x.example.com"}))
    assert _is_unknown(cloudflare.send("a@x.example.com", MAIL))
    assert len(target.arrived) == 1


def test_a_literal_rule_beats_the_catch_all_which_covers_the_apex_only(cloudflare: Pretend, target: Target) -> None:
    path = cloudflare.routing_zone()
    result(cloudflare.api.post(f"{path}/email/routing/dns", json={"name": "x.example.com"}))
    _catch_all(cloudflare, path, {"type": "worker", "value": ["inbound"]})
    _rule(cloudflare, path, "dropped@example.com", actions=[{"type": "drop"}])

    assert cloudflare.send("dropped@example.com", MAIL) == (250, "")
    assert target.arrived == []
    assert cloudflare.send("anyone@example.com", MAIL) == (250, "")
    assert _is_unknown(cloudflare.send("anyone@x.example.com", MAIL))
    cloudflare.controls.patch("/switches", json={"catch_all_covers_subdomains": True}).raise_for_status()
    assert cloudflare.send("anyone@x.example.com", MAIL) == (250, "")

    assert [recipient for _, recipient, _ in target.arrived] == ["anyone@example.com", "anyone@x.example.com"]


def test_a_plus_is_part_of_the_name_unless_subaddressing_is_on(cloudflare: Pretend, target: Target) -> None:
    path = cloudflare.routing_zone()
    _rule(cloudflare, path, "bob@example.com")
    assert _is_unknown(cloudflare.send("bob+shop@example.com", MAIL))

    result(cloudflare.api.patch(f"{path}/email/routing", json={"support_subaddress": True}))

    assert cloudflare.send("bob+shop@example.com", MAIL) == (250, "")
    assert target.arrived[0][1] == "bob+shop@example.com"


def test_a_forwarded_mail_is_accepted_and_remembered(cloudflare: Pretend) -> None:
    addresses = f"/accounts/{cloudflare.account_id}/email/routing/addresses"
    result(cloudflare.api.post(addresses, json={"email": "ada@elsewhere.example"}))
    cloudflare.controls.post("/destinations/ada@elsewhere.example/verify").raise_for_status()
    forward = {"type": "forward", "value": ["ada@elsewhere.example"]}
    _rule(cloudflare, cloudflare.routing_zone(), "bob@example.com", actions=[forward])

    assert cloudflare.send("bob@example.com", MAIL) == (250, "")

    (forwarded,) = cloudflare.controls.get("/state").json()["forwarded"]
    assert (forwarded["destination"], forwarded["size"]) == ("ada@elsewhere.example", len(MAIL))


def test_the_targets_answer_decides_the_reply(cloudflare: Pretend, target: Target) -> None:
    _rule(cloudflare, cloudflare.routing_zone(), "bob@example.com")

    target.answers(422, error="Mailbox unavailable", details={"code": "mailbox_unavailable"})
    assert cloudflare.send("bob@example.com", MAIL) == (555, "5.7.1 Mailbox unavailable")
    target.answers(413, error="Too\r\n250 large")
    assert cloudflare.send("bob@example.com", MAIL) == (555, "5.7.1 Too 250 large")
    for status in (202, 301, 401, 500, 503):
        target.answers(status, error="Trouble")
        code, text = cloudflare.send("bob@example.com", MAIL)
        assert code == 421
        assert text.startswith("4.3.0 Upstream error, please check https://developers.cloudflare.com/email-routing/")


def test_a_worker_without_a_target_and_one_out_of_reach_are_upstream_errors(cloudflare: Pretend) -> None:
    _rule(cloudflare, cloudflare.routing_zone(), "bob@example.com")
    assert cloudflare.send("bob@example.com", MAIL)[0] == 421

    with worker_target() as gone:
        url = gone.url
    cloudflare.controls.put("/workers/inbound", json={"target": url, "secret": SECRET}).raise_for_status()

    assert cloudflare.send("bob@example.com", MAIL)[0] == 421


def test_a_wrong_secret_is_temporary_for_the_sender(cloudflare: Pretend, target: Target) -> None:
    _rule(cloudflare, cloudflare.routing_zone(), "bob@example.com")
    body = {"target": target.url, "secret": "another-secret-of-thirty-two-characters"}
    cloudflare.controls.put("/workers/inbound", json=body).raise_for_status()

    assert cloudflare.send("bob@example.com", MAIL)[0] == 421
    assert target.arrived == []


def test_every_recipient_is_handed_over_by_itself_and_a_bounce_has_no_sender(
    cloudflare: Pretend, target: Target
) -> None:
    path = cloudflare.routing_zone()
    _catch_all(cloudflare, path, {"type": "worker", "value": ["inbound"]})

    assert cloudflare.send(["one@example.com", "two@example.com", "one@example.com"], MAIL, sender="") == (250, "")

    assert sorted((sender, to) for sender, to, _ in target.arrived) == [
        ("", "one@example.com"),
        ("", "two@example.com"),
    ]


def test_a_mail_of_more_than_25_mib_is_refused_and_a_large_one_is_not(cloudflare: Pretend, target: Target) -> None:
    _rule(cloudflare, cloudflare.routing_zone(), "bob@example.com")
    line = b"x" * 998 + b"\r\n"

    assert cloudflare.send("bob@example.com", MAIL + line * 20_000)[0] == 250
    assert cloudflare.send("bob@example.com", MAIL + line * 27_000)[0] == 552

    assert [len(raw) > 20_000_000 for _, _, raw in target.arrived] == [True]


def test_a_mail_with_bare_line_feeds_is_passed_on_as_it_is(cloudflare: Pretend, target: Target) -> None:
    _rule(cloudflare, cloudflare.routing_zone(), "bob@example.com")
    raw = b"From: ada@sender.example\n\n" + b"a line of text\n" * 100_000

    assert cloudflare.send("bob@example.com", raw)[0] == 250

    assert target.arrived[0][2].endswith(raw + b"\r\n")


def test_a_greeting_cannot_smuggle_in_a_header(cloudflare: Pretend, target: Target) -> None:
    _rule(cloudflare, cloudflare.routing_zone(), "bob@example.com")
    with smtplib.SMTP("127.0.0.1", cloudflare.smtp_port, local_hostname='x); dkim=pass "', timeout=60) as smtp:
        smtp.sendmail("ada@sender.example", "bob@example.com", MAIL)

    assert b"helo=xdkim=pass\r\n" not in target.arrived[0][2]
    assert b"; dkim=pass" not in target.arrived[0][2]
