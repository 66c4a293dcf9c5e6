"""Passkeys in a real Chromium, with its virtual authenticator: the whole life of one, and where they do not work."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.conftest import Opener, Site
from tests.browser.layout import CONTRASTS, WIDTHS, overflow
from tests.ports import reserved_port
from tests.servers import ADMIN_KEY, a_world

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
# What a web client elsewhere does with its own script.
SIGN_IN = """async (api) => {
  const post = (path, body) => fetch(api + path, {
    method: "POST", credentials: "include", headers: {"content-type": "application/json"}, body: JSON.stringify(body)});
  const asked = await post("/api/auth/passkey/options", {});
  if (!asked.ok) return [asked.status, (await asked.json()).error];
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await asked.json());
  const proof = await navigator.credentials.get({publicKey});
  const answer = await post("/api/auth/passkey/verify", {response: proof.toJSON()});
  return [answer.status, (await answer.json()).user?.email];
}"""


class LocalSite(Site):
    """Opened by its name: a passkey belongs to a domain, and 127.0.0.1 is none."""

    @property
    def url(self) -> str:
        return self.product.url.replace("127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The origins of two web clients elsewhere, each one empty page; the first is trusted."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "index.html").write_text("<!doctype html><link rel=icon href=data:,><title>client</title>")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    servers = [ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [f"http://localhost:{server.server_address[1]}" for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, clients: list[str]) -> Iterator[Site]:
    port = str(reserved_port())
    origins = {"WEB_APP_ORIGIN": f"http://localhost:{port}", "WEB_APP_ORIGINS": clients[0]}
    with (
        a_world(tmp_path_factory.mktemp("site"), PORT=port, **origins) as world,
        world.product() as product,
    ):
        yield LocalSite(product, "")


def _device(page: Page, **other: Any) -> tuple[CDPSession, str]:
    """A virtual authenticator in *page*, and its id."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    added = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {**DEVICE, **other}})
    return devtools, added["authenticatorId"]


def _register(page: Page, name: str) -> None:
    page.get_by_label("Name of the new passkey").fill(name)
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("status").filter(has_text=f"“{name}” is registered")).to_be_visible()


def _sign_out(page: Page) -> None:
    page.locator("header details.menu > summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url("/login")


def test_the_whole_life_of_a_passkey(opened: Opener, site: Site) -> None:
    page = opened("/workspace")
    _device(page)
    page.get_by_role("link", name="Passkeys").click()
    expect(page.get_by_text("No passkeys yet")).to_be_visible()

    _register(page, "Work laptop")
    row = page.get_by_role("row", name="Work laptop")
    expect(row.get_by_text("In use")).to_be_visible()
    expect(row.get_by_text("never")).to_be_visible()

    _sign_out(page)
    page.goto("/login?next=/passkeys")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url("/passkeys")
    expect(row.get_by_text("just now")).to_have_count(2)

    row.get_by_label("Rename Work laptop").click()
    row.get_by_label("New name").fill("Old laptop")
    row.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="It is called “Old laptop” now.")).to_be_visible()

    renamed = page.get_by_role("row", name="Old laptop")
    renamed.get_by_label("Revoke Old laptop").click()
    expect(renamed.get_by_text("every session it began ends at once")).to_be_visible()
    renamed.get_by_role("button", name="Revoke it for good").click()

    # This very session began with it.
    expect(page.get_by_role("heading", name="Sign in to KaisouMail")).to_be_visible()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("This passkey is not known here")).to_be_visible()

    page.get_by_label("API key").fill(ADMIN_KEY)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="“Old laptop” is revoked")).to_be_visible()
    expect(page.get_by_role("row", name="Old laptop").get_by_text("Revoked")).to_be_visible()


def test_a_device_is_not_registered_twice(opened: Opener, site: Site) -> None:
    page = opened("/passkeys")
    _device(page)
    _register(page, "Phone")

    page.get_by_label("Name of the new passkey").fill("Phone again")
    page.get_by_role("button", name="Register").click()

    expect(page.get_by_text("This device already has one of your passkeys")).to_be_visible()
    expect(page.get_by_role("row", name="Phone again")).to_have_count(0)


def test_a_device_that_does_not_know_its_user_is_refused_in_words(opened: Opener, site: Site) -> None:
    page = opened("/passkeys")
    _device(page, isUserVerified=False)

    page.get_by_label("Name of the new passkey").fill("Found on a bench")
    page.get_by_role("button", name="Register").click()

    expect(page.get_by_text("Nothing was done")).to_be_visible()
    expect(page.get_by_role("button", name="Register")).to_be_focused()


def test_a_name_that_will_not_do_is_said_at_the_field(opened: Opener, site: Site) -> None:
    page = opened("/passkeys")
    _device(page)
    _register(page, "Tablet")
    row = page.get_by_role("row", name="Tablet")

    row.get_by_label("Rename Tablet").click()
    row.get_by_label("New name").fill("   ")
    row.get_by_role("button", name="Save").click()

    expect(row.get_by_text("A name has 1 to 64 characters")).to_be_visible()
    expect(row.get_by_label("New name")).to_have_attribute("aria-invalid", "true")


def test_a_second_trusted_origin_signs_in_and_a_foreign_one_cannot(
    opened: Opener, site: Site, clients: list[str]
) -> None:
    page = opened("/passkeys")
    _device(page)
    _register(page, "Used elsewhere")
    page.context.clear_cookies()
    trusted, foreign = clients

    page.goto(f"{trusted}/index.html")
    assert page.evaluate(SIGN_IN, site.url) == [200, "root@people.example"]
    page.context.clear_cookies()
    page.goto(f"{foreign}/index.html")
    assert page.evaluate(SIGN_IN, site.url) == [400, "Passkey origin is not allowed"]


def test_at_the_wrong_address_the_right_one_is_a_click_away(opened: Opener, site: Site) -> None:
    page = opened("/login", key=None)
    page.goto(f"{site.product.url}/login")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_disabled()

    page.get_by_role("link", name=site.url).click()

    expect(page).to_have_url(f"{site.url}/login")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_enabled()


def test_a_browser_without_passkeys_is_told_so(opened: Opener, site: Site) -> None:
    page = opened("/login", key=None)
    page.add_init_script("delete window.PublicKeyCredential")

    page.reload()

    expect(page.get_by_text("This browser does not know passkeys")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_disabled()
    expect(page.get_by_label("API key")).to_be_enabled()


def test_without_javascript_the_key_is_the_way_in_and_passkeys_are_still_revoked(opened: Opener, site: Site) -> None:
    with_script = opened("/passkeys")
    _device(with_script)
    _register(with_script, "Lost phone")
    page = opened("/passkeys", java_script_enabled=False)
    expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
    row = page.get_by_role("row", name="Lost phone")

    row.get_by_label("Revoke Lost phone").click()
    row.get_by_role("button", name="Revoke it for good").click()

    expect(page.get_by_role("status").filter(has_text="“Lost phone” is revoked")).to_be_visible()


@pytest.mark.parametrize(("theme", "locale"), [("light", "en-GB"), ("dark", "zh-CN")])
def test_the_page_fits_every_width_and_its_words_stand_out(opened: Opener, site: Site, theme: str, locale: str) -> None:
    page = opened("/passkeys")
    _device(page)
    _register(page, f"A rather long name for a passkey, {theme}, as people give")
    for width in WIDTHS:
        page = opened("/passkeys", width=width, locale=locale, color_scheme=theme, reduced_motion="reduce")
        page.locator(".change > summary").last.click()
        asked = page.locator(".change[open] > form").bounding_box()
        assert asked is not None
        assert asked["x"] >= 0, width
        assert overflow(page) <= 0, width
        assert page.evaluate(CONTRASTS) == [], width
