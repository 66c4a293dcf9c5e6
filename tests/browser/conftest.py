"""A real Chromium before the real product; every test also fails on a console error or a policy violation."""

import smtplib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.servers import ADMIN_KEY, Product, a_world

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
expect.set_options(timeout=20_000)  # patience for a busy machine, not a claim about speed
ADDRESS = "ada@mail.customer.com"
CODE = "842911"


@dataclass
class Site:
    """The product with one active domain, one mailbox and one mail with a code; shared by the tests of a file."""

    product: Product
    mailbox_id: str

    @property
    def url(self) -> str:
        return self.product.url

    def send(self, subject: str, text: str = "Hello.", html: str | None = None, to: str = ADDRESS) -> None:
        """A mail by SMTP to Cloudflare's mail server, which hands it on before it says yes."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "Shop <no-reply@shop.example>", to, subject
        mail.set_content(text)
        if html is not None:
            mail.add_alternative(html, subtype="html")
        self.send_mail(mail)

    def send_mail(self, mail: EmailMessage) -> None:
        self.send_raw(mail.as_bytes(policy=SMTP), mail["To"])

    def send_raw(self, raw: bytes, to: str = ADDRESS) -> None:
        with smtplib.SMTP("127.0.0.1", self.product.world.mx_port, timeout=60) as smtp:
            smtp.sendmail("no-reply@shop.example", [to], raw)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with a_world(tmp_path_factory.mktemp("site")) as world, world.product() as product:
        product.active_domain("customer.com")
        mailbox = product.admin.post("/api/mailboxes/ensure", json={"address": ADDRESS}).json()
        opened = Site(product, mailbox["id"])
        opened.send(f"Your verification code is {CODE}", "Welcome.", "<h1>Welcome</h1><p>Ada</p>")
        yield opened


@pytest.fixture(scope="module")  # not longer: its event loop runs in this thread, and other tests want their own
def chromium() -> Iterator[Browser]:
    path = Path("/usr/bin/chromium")
    assert path.exists(), "the browser tests need Chromium: make programs"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(path), args=FLAGS)
        yield browser
        browser.close()


def settled(page: Page) -> None:
    """
    What the page and its frame had asked for is under way: a request made now has been answered.

    Not Playwright's "networkidle": a page that listens to events is never idle.
    """
    page.evaluate("async () => { await (await fetch('/health', {cache: 'no-store'})).text(); }")


Opener = Callable[..., Page]


@pytest.fixture
def opened(chromium: Browser, site: Site) -> Iterator[Opener]:
    """`opened(path, width=…, …)`: a page of its own browser context, signed in as admin unless told otherwise."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def open_page(path: str = "/workspace", *, width: int = 1440, key: str | None = ADMIN_KEY, **options: Any) -> Page:
        height = {390: 844, 768: 1024, 1024: 768}.get(width, 900)
        context = chromium.new_context(
            base_url=site.url, viewport={"width": width, "height": height}, **{"locale": "en-GB", **options}
        )
        contexts.append(context)
        if key is not None:
            context.request.post("/api/auth/session", data={"apiKey": key})
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    # A page that answers 4xx on purpose is mentioned by the browser as well.
    assert [said for said in complaints if not said.startswith("Failed to load resource")] == []


@pytest.fixture
def tracker() -> Iterator[tuple[str, list[str]]]:
    """The URL of a server that remembers every path it was asked for."""
    asked: list[str] = []

    class Remember(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Remember)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()
