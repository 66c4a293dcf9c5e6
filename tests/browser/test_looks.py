"""What every page must look like: nothing sideways, nothing too faint, nothing too far down, in both languages."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ADDRESS, Opener, Site
from tests.browser.layout import CONTRASTS, WIDTHS, overflow


def _paths(site: Site) -> dict[str, str]:
    [message] = site.product.admin.get("/api/messages", params={"mailboxId": site.mailbox_id}).json()["messages"]
    return {
        "inbox": "/workspace",
        "mailbox": f"/workspace?mailbox={site.mailbox_id}",
        "reader": f"/workspace?mailbox={site.mailbox_id}&message={message['id']}",
        "headers": f"/workspace?mailbox={site.mailbox_id}&message={message['id']}&tab=headers",
        "message": f"/messages/{message['id']}",
        "no such message": "/messages/msg_none",
        "domains": "/domains",
        "passkeys": "/passkeys",
        "details": f"/domains?details={_waiting(site)}",
    }


def _waiting(site: Site) -> str:
    name = "a-rather-long-name-that-still-waits-for-its-name-servers.example"
    known = {domain["rootDomain"]: domain["id"] for domain in site.product.admin.get("/api/domains").json()["domains"]}
    made: str = known.get(name) or site.product.admin.post("/api/domains/bind", json={"mailDomain": name}).json()["id"]
    return made


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_no_page_scrolls_sideways_at_any_width(opened: Opener, site: Site, locale: str) -> None:
    for width in WIDTHS:
        page = opened("/login", width=width, locale=locale, key=None)
        assert overflow(page) <= 0, f"login at {width}"
        page = opened("/workspace", width=width, locale=locale)
        for name, path in _paths(site).items():
            page.goto(path)
            assert overflow(page) <= 0, f"{name} at {width}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(opened: Opener, site: Site, theme: str) -> None:
    page = opened("/login", color_scheme=theme, key=None)
    assert page.evaluate(CONTRASTS) == []
    page = opened("/workspace", color_scheme=theme, reduced_motion="reduce")
    for name, path in _paths(site).items():
        page.goto(path)
        assert page.evaluate(CONTRASTS) == [], name
    page.goto("/domains")
    page.get_by_label("Bind a new domain").fill("mail.other.example")
    page.get_by_role("button", name="Bind at Cloudflare").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.evaluate(CONTRASTS) == [], "a refusal"


def test_a_chosen_theme_wins_over_the_system(opened: Opener, site: Site) -> None:
    page = opened("/workspace", color_scheme="light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Dark").click()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_the_language_follows_the_browser_and_then_the_choice(opened: Opener, site: Site) -> None:
    page = opened("/domains", locale="zh-CN")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.get_by_role("heading", name="域名", exact=True)).to_be_visible()

    page.locator("details.menu summary").click()
    page.get_by_role("button", name="English").click()

    expect(page).to_have_url(f"{site.url}/domains")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.reload()
    expect(page.get_by_role("heading", name="Domains")).to_be_visible()


def test_content_starts_within_120_pixels_of_the_top(opened: Opener, site: Site) -> None:
    page = opened("/workspace")
    mailbox = page.locator("#mailboxes .row").first.bounding_box()
    mail = page.locator("#mails .row").first.bounding_box()
    page.goto("/domains")
    field = page.get_by_label("Bind a new domain").bounding_box()

    assert mailbox is not None
    assert mail is not None
    assert field is not None
    assert max(mailbox["y"], mail["y"], field["y"]) <= 120


@pytest.mark.parametrize(("width", "shown"), [(1440, 3), (1024, 2), (768, 2), (390, 1)])
def test_there_are_three_panes_then_two_then_one(opened: Opener, site: Site, width: int, shown: int) -> None:
    page = opened("/workspace", width=width)

    for path in (path for name, path in _paths(site).items() if name in ("inbox", "mailbox", "reader")):
        page.goto(path)
        panes = [pane for pane in page.locator(".pane").all() if pane.is_visible()]
        assert len(panes) == shown, path


def test_on_a_phone_one_goes_in_and_comes_back_by_the_arrows(opened: Opener, site: Site) -> None:
    page = opened("/workspace", width=390)

    page.get_by_role("link", name=ADDRESS).click()
    page.get_by_role("link", name=re.compile("Your verification code")).click()
    expect(page.locator(".reader")).to_be_visible()
    page.get_by_role("link", name="Back to the mails").click()
    expect(page.get_by_role("link", name=re.compile("Your verification code"))).to_be_visible()
    page.get_by_role("link", name="Back to the mailboxes").click()

    expect(page.get_by_role("button", name="New address")).to_be_visible()


def test_targets_on_a_phone_are_large_enough_for_a_thumb(opened: Opener, site: Site) -> None:
    page = opened("/workspace", width=390)
    small = []
    for name, path in _paths(site).items():
        page.goto(path)
        for target in page.locator("button:visible, a.btn:visible, .place:visible, summary:visible").all():
            box = target.bounding_box()
            if box is not None and (box["height"] < 32 or box["width"] < 32):
                small.append((name, target.evaluate("element => element.outerHTML.slice(0, 80)")))

    assert small == []


def test_a_keyboard_alone_reaches_a_mail(opened: Opener, site: Site) -> None:
    page = opened(f"/workspace?mailbox={site.mailbox_id}")

    for _ in range(40):
        page.keyboard.press("Tab")
        if "Your verification code" in (page.evaluate("document.activeElement.textContent") or ""):
            break
    page.keyboard.press("Enter")

    expect(page.locator(".reader")).to_be_visible()
