"""Read or unread, by the form on the page."""

from typing import Any

import httpx
import pytest

from tests.builders import an_email
from tests.handing_over import signed
from tests.web.conftest import Site


@pytest.fixture
def message(site: Site) -> dict[str, Any]:
    """An unread mail of the admin's."""
    mailbox = site.product.admin.post("/api/mailboxes", json={}).json()
    raw = an_email(mailbox["address"])
    headers = signed(mailbox["address"], raw)
    stored = httpx.post(f"{site.product.url}/api/inbound", content=raw, headers=headers).json()
    kept: dict[str, Any] = site.product.admin.get(f"/api/messages/{stored['messageId']}").json()["message"]
    return kept


def _is_read(site: Site, message: dict[str, Any]) -> bool:
    marked: bool = site.product.admin.get(f"/api/messages/{message['id']}").json()["message"]["isRead"]
    return marked


def test_looking_at_pages_and_lists_marks_nothing(site: Site, message: dict[str, Any]) -> None:
    with site.admin() as browser:
        for path in (
            f"/messages/{message['id']}",
            f"/messages/{message['id']}/body",
            f"/workspace?message={message['id']}",
        ):
            browser.get(path)

    assert not _is_read(site, message)


def test_the_button_marks_and_leads_back(site: Site, message: dict[str, Any]) -> None:
    with site.admin() as browser:
        form = {"read": "true", "next": f"/workspace?message={message['id']}"}
        marked = browser.post(f"/messages/{message['id']}/read", data=form)

    assert (marked.status_code, marked.headers["location"]) == (303, f"/workspace?message={message['id']}")
    assert _is_read(site, message)


def test_marking_leads_to_no_other_site(site: Site, message: dict[str, Any]) -> None:
    with site.admin() as browser:
        marked = browser.post(f"/messages/{message['id']}/read", data={"read": "true", "next": "//evil.example"})

    assert marked.headers["location"] == "/workspace"


def test_somebody_elses_mail_is_not_there_to_be_marked(site: Site, message: dict[str, Any]) -> None:
    with site.member() as browser:
        refused = browser.post(f"/messages/{message['id']}/read", data={"read": "true"})

    assert refused.status_code == 404
    assert not _is_read(site, message)
