"""Mail and mailboxes beyond a quota: said at both doors, written down, never lost without a word."""

import asyncio
import smtplib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kaisoumail.errors import Problem
from kaisoumail.model.quota import Quotas
from kaisoumail.operations import mailboxes
from kaisoumail.operations.mailboxes import MailboxRequest
from tests.api_client import ApiClient, code_of
from tests.builders import a_mailbox, an_email
from tests.contexts import a_context
from tests.handing_over import signed
from tests.people import ADA, BOB, HOUR, NOON
from tests.ports import reserved_port
from tests.servers import Product, a_world


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Product, ApiClient, int]]:
    """A product where a user may have three mailboxes with two mails each; Ada, and the SMTP port."""
    port = reserved_port()
    quotas = {"QUOTA_MAILBOXES_PER_USER": "3", "QUOTA_MESSAGES_PER_MAILBOX": "2", "SMTP_PORT": str(port)}
    with a_world(tmp_path_factory.mktemp("world"), **quotas) as world, world.product() as product:
        product.active_domain("customer.com")
        with product.client(product.add_member("ada")) as ada:
            yield product, ada, port


def _handed_over(product: Product, address: str) -> httpx.Response:
    raw = an_email(address)
    return httpx.post(f"{product.url}/api/inbound", content=raw, headers=signed(address, raw), timeout=60)


def _full_mailbox(product: Product, ada: ApiClient) -> str:
    address: str = ada.post("/api/mailboxes", json={}).raise_for_status().json()["address"]
    for _ in range(2):
        _handed_over(product, address).raise_for_status()
    return address


def _refusals(product: Product, address: str) -> list[tuple[str, str]]:
    listed: list[dict[str, Any]] = product.admin.get("/api/rejections").json()["rejections"]
    return [(one["door"], one["code"]) for one in listed if one["recipient"] == address]


def test_s5_mail_for_a_full_mailbox_is_refused_for_now_at_rcpt_and_the_ledger_says_so(
    small: tuple[Product, ApiClient, int],
) -> None:
    product, ada, port = small
    address = _full_mailbox(product, ada)

    with smtplib.SMTP("127.0.0.1", port) as sender:
        sender.ehlo()
        sender.mail("no-reply@shop.example")
        said = sender.rcpt(address)

    assert said == (452, b"4.2.2 Mailbox full, try again later")
    assert _refusals(product, address) == [("smtp", "mailbox_full")]


def test_s5_the_worker_hears_that_it_may_pass_so_the_sender_tries_again(
    small: tuple[Product, ApiClient, int],
) -> None:
    product, ada, _ = small
    address = _full_mailbox(product, ada)

    answer = _handed_over(product, address)

    assert (answer.status_code, code_of(answer)) == (503, "mailbox_full")
    assert _refusals(product, address) == [("worker", "mailbox_full")]


def test_s5_a_mailbox_beyond_the_quota_is_refused_with_figures_and_what_to_do(
    small: tuple[Product, ApiClient, int],
) -> None:
    _, ada, _ = small
    answer = [ada.post("/api/mailboxes", json={}) for _ in range(4)][-1]

    details = answer.json()["details"]
    assert (answer.status_code, code_of(answer)) == (409, "quota_reached")
    assert (details["quota"], details["used"], details["allowed"]) == ("mailboxes", 3, 3)
    assert "destroy one" in answer.json()["error"]
    assert len(ada.get("/api/mailboxes").json()["mailboxes"]) == 3


def test_many_at_once_get_no_mailbox_beyond_the_quota(tmp_path: Path) -> None:
    async def run() -> list[str]:
        async with a_context(tmp_path, quotas=Quotas(mailboxes=3)) as context:
            asked = (mailboxes.create(context, ADA, MailboxRequest()) for _ in range(10))
            outcomes = await asyncio.gather(*asked, return_exceptions=True)
            await mailboxes.create(context, BOB, MailboxRequest())
            return [one.code if isinstance(one, Problem) else "made" for one in outcomes]

    assert sorted(asyncio.run(run())) == ["made"] * 3 + ["quota_reached"] * 7


def test_an_expired_mailbox_comes_back_only_within_the_quota_and_a_live_one_is_extended_always(tmp_path: Path) -> None:
    expired = a_mailbox("old@mail.demo.example", expires_at=NOON - HOUR)
    live = a_mailbox("live@mail.demo.example")

    async def ensured(name: str) -> str:
        async with a_context(tmp_path / name, expired, live, quotas=Quotas(mailboxes=1)) as context:
            try:
                kept = await mailboxes.ensure(context, ADA, MailboxRequest(name, "mail", "demo.example", minutes=600))
            except Problem as problem:
                return problem.code
            return str(kept.mailbox.expires_at)

    for name in ("old", "live"):
        (tmp_path / name).mkdir()
    assert asyncio.run(ensured("old")) == "quota_reached"
    assert asyncio.run(ensured("live")) == str(NOON + 10 * HOUR)
