"""The inbox: from arrival to clipboard, and nothing of a stranger's mail ever runs or calls home."""

import re

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import ADDRESS, CODE, Opener, Site, settled
from tests.polling import poll
from tests.servers import ADMIN_KEY


def _clipboard(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


PERMISSIONS = ["clipboard-read", "clipboard-write"]


def test_signing_in_leads_to_the_page_one_wanted(opened: Opener, site: Site) -> None:
    page = opened(f"/workspace?mailbox={site.mailbox_id}", key=None)
    expect(page).to_have_url(f"{site.url}/login?next=/workspace%3Fmailbox%3D{site.mailbox_id}")

    page.get_by_label("API key").fill("cfm_this-is-no-key-of-ours")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not known here")
    page.get_by_label("API key").fill(ADMIN_KEY)
    page.get_by_role("button", name="Sign in").click()

    expect(page).to_have_url(f"{site.url}/workspace?mailbox={site.mailbox_id}")
    expect(page.get_by_role("heading", name=ADDRESS)).to_be_visible()
    expect(page.locator("body")).to_have_class("shell")


def test_a_code_is_copied_with_one_click_from_every_place_it_stands(opened: Opener, site: Site) -> None:
    page = opened(f"/workspace?mailbox={site.mailbox_id}", permissions=PERMISSIONS)
    page.get_by_role("link", name=f"Your verification code is {CODE}").click()
    expect(page.locator(".reader h2")).to_have_text(f"Your verification code is {CODE}")
    expect(page.locator(".reader-code")).to_contain_text("found in the subject, next to “verification code”")
    codes = page.get_by_role("button", name=f"Copy code {CODE}")
    expect(codes).to_have_count(3)  # mailbox row, mail row, reader

    for place in range(3):
        page.evaluate("navigator.clipboard.writeText('something else')")
        codes.nth(place).click()
        expect(page.locator("#announce")).to_have_text("Copied")
        assert _clipboard(page) == CODE


def test_one_key_copies_the_code_of_the_mail_being_read(opened: Opener, site: Site) -> None:
    page = opened(f"/workspace?mailbox={site.mailbox_id}", permissions=PERMISSIONS)
    page.get_by_role("link", name=CODE).click()
    expect(page.locator(".reader")).to_be_visible()

    page.keyboard.press("y")

    expect(page.locator("#announce")).to_have_text("Copied")
    assert _clipboard(page) == CODE


def test_a_new_mail_appears_by_itself_and_leaves_the_reader_alone(opened: Opener, site: Site) -> None:
    page = opened(f"/workspace?mailbox={site.mailbox_id}")
    page.get_by_role("link", name=CODE).click()
    frame = page.frame_locator("iframe.body")
    expect(frame.get_by_role("heading", name="Welcome")).to_be_visible()
    page.locator("iframe.body").evaluate("frame => { frame.dataset.same = 'yes' }")

    site.send("A second mail, while reading")

    expect(page.get_by_role("link", name="A second mail, while reading")).to_be_visible(timeout=15_000)
    expect(page.locator("iframe.body")).to_have_attribute("data-same", "yes")
    expect(page.locator(".reader h2")).to_contain_text(CODE)


def test_a_new_mail_is_there_without_a_poll(opened: Opener, site: Site) -> None:
    page = opened(f"/workspace?mailbox={site.mailbox_id}")
    expect(page.locator("[data-live]")).to_have_text("Live")
    polled: list[str] = []
    page.on("request", lambda request: polled.append(request.url) if "/workspace/lists" in request.url else None)

    site.send("Told by an event")

    expect(page.get_by_role("link", name="Told by an event")).to_be_visible()
    assert len(polled) <= 2  # what the event asked for, not a clock


def test_an_answer_that_was_asked_for_another_mailbox_replaces_nothing(opened: Opener, site: Site) -> None:
    page = opened("/workspace")
    late: list[Route] = []
    page.route(  # one at a time is under way, so only one is ever late
        "**/workspace/lists?*",
        lambda route: route.continue_() if "mailbox=" in route.request.url else late.append(route),
    )
    site.send("While all mail is shown")

    def asked_late() -> list[Route]:
        page.evaluate("() => new Promise(requestAnimationFrame)")
        return late

    poll(asked_late)

    page.locator("#mailboxes").get_by_role("link", name=ADDRESS).click()
    expect(page.get_by_role("heading", name=ADDRESS)).to_be_visible()
    with page.expect_response("**/workspace/lists?mailbox=*"):  # it is asked again, for the right one
        late[0].continue_()

    expect(page.get_by_role("heading", name=ADDRESS)).to_be_visible()
    expect(page.get_by_role("link", name="While all mail is shown")).to_be_visible()


def test_a_mail_is_read_once_somebody_had_it_before_their_eyes(opened: Opener, site: Site) -> None:
    site.send("Read me")
    page = opened(f"/workspace?mailbox={site.mailbox_id}")
    row = page.locator(".row.mail", has_text="Read me")
    expect(row).to_have_class("row mail unread")

    row.get_by_role("link").click()
    expect(page.get_by_role("button", name="Mark as unread")).to_be_visible()
    expect(row).to_have_class("row mail")

    page.get_by_role("button", name="Mark as unread").click()
    expect(row).to_have_class("row mail unread")
    expect(page.get_by_role("button", name="Mark as read", exact=True)).to_be_visible()


def test_a_page_that_is_only_loaded_marks_nothing(opened: Opener, site: Site) -> None:
    site.send("Only loaded")
    newest = site.product.admin.get("/api/messages?limit=1").json()["messages"][0]
    page = opened(f"/workspace?mailbox={site.mailbox_id}&message={newest['id']}", java_script_enabled=False)
    row = page.locator(".row.mail", has_text="Only loaded")
    expect(row).to_have_class("row mail unread")

    page.get_by_role("button", name="Mark as read").click()

    expect(row).to_have_class("row mail")
    expect(page.get_by_role("button", name="Mark as unread")).to_be_visible()


def test_what_is_open_stands_in_the_url_and_back_goes_back(opened: Opener, site: Site) -> None:
    page = opened("/workspace")
    page.locator("#mailboxes").get_by_role("link", name=ADDRESS).click()
    expect(page).to_have_url(f"{site.url}/workspace?mailbox={site.mailbox_id}")
    page.get_by_role("link", name=CODE).click()
    expect(page.locator(".reader")).to_be_visible()
    page.locator(".views").get_by_role("link", name="Headers").click()
    expect(page.locator("dl.headers")).to_contain_text("Shop <no-reply@shop.example>")

    page.go_back()
    expect(page.locator("iframe.body")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Choose a mail to read it.")).to_be_visible()
    expect(page).to_have_url(f"{site.url}/workspace?mailbox={site.mailbox_id}")


def test_one_click_makes_a_random_address_that_waits_for_mail(opened: Opener, site: Site) -> None:
    page = opened("/workspace")

    page.get_by_role("button", name="New address").click()

    expect(page.get_by_text("Mailbox made. It receives mail now.")).to_be_visible()
    expect(page.get_by_text("Waiting for mail to")).to_be_visible()
    expect(page.locator("#mailboxes [data-current]")).to_contain_text(".customer.com")


def test_an_address_that_exists_is_opened_instead(opened: Opener, site: Site) -> None:
    page = opened("/workspace")

    page.get_by_text("Choose…").click()
    page.get_by_label("Name, or a whole address").fill(ADDRESS)
    page.get_by_role("button", name="Create mailbox").click()

    expect(page.get_by_text("This mailbox exists already, so it was opened.")).to_be_visible()
    expect(page.get_by_role("heading", name=ADDRESS)).to_be_visible()


def test_a_name_that_will_not_do_is_said_beside_its_field(opened: Opener, site: Site) -> None:
    page = opened("/workspace")

    page.get_by_text("Choose…").click()
    page.get_by_label("Name, or a whole address").fill("not a name")
    page.get_by_label("Subdomain").fill("mail")
    page.get_by_role("button", name="Create mailbox").click()

    expect(page.get_by_label("Name, or a whole address")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Name, or a whole address")).to_have_value("not a name")
    expect(page.get_by_label("Subdomain")).to_have_value("mail")
    expect(page.get_by_role("alert")).to_contain_text("Letters, digits and hyphens")


def test_everything_works_without_javascript(opened: Opener, site: Site) -> None:
    page = opened("/workspace", java_script_enabled=False)

    page.get_by_role("button", name="New address").click()
    expect(page.get_by_text("Mailbox made. It receives mail now.")).to_be_visible()
    page.locator("#mailboxes").get_by_role("link", name=ADDRESS).click()
    page.get_by_role("link", name=CODE).click()

    expect(page.locator(".reader .code")).to_have_text(CODE)
    expect(page.frame_locator("iframe.body").get_by_role("heading", name="Welcome")).to_be_visible()


def test_a_session_that_ended_leads_to_the_sign_in_page_and_back(opened: Opener, site: Site) -> None:
    page = opened(f"/workspace?mailbox={site.mailbox_id}")
    expect(page.get_by_role("heading", name=ADDRESS)).to_be_visible()

    page.context.request.delete("/api/auth/session")
    site.send("A mail that nobody signed in hears of")

    expect(page).to_have_url(re.compile("/login.next=/workspace%3Fmailbox%3D"), timeout=15_000)
    page.get_by_label("API key").fill(ADMIN_KEY)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{site.url}/workspace?mailbox={site.mailbox_id}")


def test_a_hostile_mail_runs_nothing_and_tells_nobody_it_was_opened(
    opened: Opener, site: Site, tracker: tuple[str, list[str]]
) -> None:
    url, asked = tracker
    site.send(
        "A hostile mail",
        "Look.",
        f"""<img src="{url}/pixel.gif" width=1 height=1><body background="{url}/background.png">
        <style>@import url({url}/sheet.css); p {{ background: url({url}/style.png) }}</style>
        <link rel=stylesheet href="{url}/link.css"><p style="background-image:url({url}/inline.png)">Hello Ada</p>
        <script>fetch("{url}/script")</script><img src=x onerror="fetch('{url}/handler')">
        <form action="{url}/form"><input name=q><button>Go</button></form><iframe src="{url}/frame"></iframe>
        <video src="{url}/video.mp4" poster="{url}/poster.png"></video><a href="{url}/target">a link</a>
        <svg><image href="{url}/svg.png"/></svg><meta http-equiv=refresh content="0;url={url}/refresh">""",
    )
    page = opened(f"/workspace?mailbox={site.mailbox_id}")
    page.get_by_role("link", name="A hostile mail").click()
    frame = page.frame_locator("iframe.body")
    expect(frame.get_by_text("Hello Ada")).to_be_visible()
    expect(page.locator(".reader").get_by_text("Pictures of other servers not loaded")).to_be_visible()
    settled(page)
    assert asked == []

    with page.context.expect_page() as outside:
        frame.get_by_role("link", name="a link").click()
    outside.value.wait_for_load_state()

    assert "/target" in asked
    assert outside.value.evaluate("window.opener") is None
    assert outside.value.evaluate("document.referrer") == ""
    expect(page.locator(".reader h2")).to_have_text("A hostile mail")
