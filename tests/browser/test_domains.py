"""Domains: from a typed name to receiving mail without leaving the page."""

from playwright.sync_api import expect

from tests.browser.conftest import Opener, Site


def test_a_bound_domain_shows_its_name_servers_at_once_and_gets_ready_by_retry(opened: Opener, site: Site) -> None:
    page = opened("/domains", permissions=["clipboard-read", "clipboard-write"])

    page.get_by_label("Bind a new domain").fill("Fresh.example")
    page.get_by_role("button", name="Bind at Cloudflare").click()

    dialog = page.get_by_role("dialog", name="fresh.example")
    expect(dialog.get_by_text("Waiting for nameservers")).to_be_visible()
    servers = dialog.get_by_role("button", name="Copy name server")
    expect(servers).to_have_count(2)
    servers.first.click()
    expect(page.locator("#announce")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").endswith(".ns.cloudflare.com")

    dialog.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("status").filter(has_text="does not see the new name servers yet")).to_be_visible()

    site.product.world.delegate("fresh.example")
    row = page.get_by_role("row", name="fresh.example")
    row.get_by_role("button", name="Retry").click()
    expect(row.get_by_text("Ready")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Mailboxes can use it now")).to_be_visible()


def test_a_delegated_domain_gets_ready_before_the_readers_eyes(opened: Opener, site: Site) -> None:
    page = opened("/domains")
    page.get_by_label("Bind a new domain").fill("patient.example")
    page.get_by_role("button", name="Bind at Cloudflare").click()
    expect(page.get_by_role("dialog", name="patient.example")).to_be_visible()
    page.keyboard.press("Escape")
    row = page.get_by_role("row", name="patient.example")
    expect(row.get_by_text("Waiting for nameservers")).to_be_visible()

    site.product.world.delegate("patient.example")

    expect(row.get_by_text("Ready", exact=True)).to_be_visible(timeout=60_000)


def test_the_zone_is_deleted_only_by_typing_its_name(opened: Opener, site: Site) -> None:
    site.product.active_domain("doomed.example")
    page = opened("/domains")
    page.get_by_role("link", name="Details of doomed.example").click()
    dialog = page.get_by_role("dialog", name="doomed.example")
    dialog.get_by_text("Delete the domain and its zone").click()

    dialog.get_by_label("Type the name to confirm").fill("something.else")
    dialog.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("alert").filter(has_text="Not deleted")).to_be_visible()

    page.get_by_role("link", name="Details of doomed.example").click()
    dialog.get_by_text("Delete the domain and its zone").click()
    dialog.get_by_label("Type the name to confirm").fill("doomed.example")
    dialog.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("status").filter(has_text="with its zone at Cloudflare")).to_be_visible()
    expect(page.get_by_role("row", name="doomed.example")).to_have_count(0)


def test_the_details_are_modal_and_give_the_focus_back(opened: Opener, site: Site) -> None:
    page = opened("/domains")
    details = page.get_by_role("link", name="Details of customer.com")

    details.click()
    expect(page.get_by_role("dialog", name="customer.com")).to_be_visible()
    assert page.evaluate("document.querySelector('dialog').matches(':modal')")
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(details).to_be_focused()
    expect(page).to_have_url(f"{site.url}/domains")


def test_a_subdomain_is_answered_with_the_apex_in_one_click(opened: Opener, site: Site) -> None:
    page = opened("/domains")

    page.get_by_label("Bind a new domain").fill("mail.other.example")
    page.get_by_role("button", name="Bind at Cloudflare").click()

    expect(page.get_by_role("alert")).to_contain_text("user@mail.other.example")
    expect(page.get_by_label("Bind a new domain")).to_have_value("mail.other.example")
    page.get_by_role("button", name="Bind other.example instead").click()
    expect(page.get_by_role("dialog", name="other.example")).to_be_visible()


def test_a_domain_that_is_here_already_is_said_so(opened: Opener, site: Site) -> None:
    page = opened("/domains")

    page.get_by_label("Bind a new domain").fill("customer.com")
    page.get_by_role("button", name="Bind at Cloudflare").click()

    expect(page.get_by_role("alert")).to_contain_text("This domain is here already")
    expect(page.get_by_role("alert")).to_have_attribute("data-code", "domain_exists")


def test_switching_off_and_on_again_works_without_javascript(opened: Opener, site: Site) -> None:
    site.product.active_domain("plain.example")
    page = opened("/domains", java_script_enabled=False)
    row = page.get_by_role("row", name="plain.example")

    row.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("status").filter(has_text="existing ones keep receiving")).to_be_visible()
    expect(row.get_by_text("Off")).to_be_visible()
    row.get_by_role("button", name="Enable").click()
    expect(row.get_by_text("Ready")).to_be_visible()

    row.get_by_role("link", name="Details of plain.example").click()
    expect(page.get_by_role("dialog", name="plain.example")).to_contain_text("Zone id")
    page.get_by_role("dialog").get_by_role("link", name="Close").last.click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_member_finds_no_domains_page(opened: Opener, site: Site) -> None:
    key = site.product.add_member("Bob")
    page = opened("/domains", key=key)

    expect(page.get_by_role("alert")).to_contain_text("Admins only")
    expect(page.get_by_role("navigation").get_by_role("link", name="Domains")).to_have_count(0)
