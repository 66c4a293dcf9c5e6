"""Reading a mail in a real Chromium: its own pictures are shown, nobody elsewhere hears of it unless asked to."""

import base64
import re
import struct
import zlib
from collections.abc import Callable
from email.message import EmailMessage

from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import ADDRESS, Opener, Site, settled
from tests.polling import poll

Tracker = tuple[str, list[str]]


def a_png(width: int, height: int) -> bytes:
    """A picture in one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x0b\x6e\x63" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _mail(subject: str, html: str | None = None) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Shop <no-reply@shop.example>", ADDRESS, subject
    mail.set_content("Hello in text.")
    if html is not None:
        mail.add_alternative(html, subtype="html")
    return mail


def _open(opened: Opener, site: Site, subject: str) -> Page:
    page = opened(f"/workspace?mailbox={site.mailbox_id}")
    page.get_by_role("link", name=subject).click()
    expect(page.locator(".reader h2")).to_have_text(subject)
    return page


def _width(frame: FrameLocator, alt: str) -> int:
    frame.get_by_alt_text(alt).wait_for()
    script = "img => img.decode().then(() => img.naturalWidth, () => 0)"
    width: int = frame.get_by_alt_text(alt).evaluate(script)
    return width


def test_the_pictures_of_the_mail_itself_are_shown(opened: Opener, site: Site) -> None:
    inline = base64.b64encode(a_png(7, 7)).decode()
    mail = _mail(
        "Its own pictures", f'<img src="cid:logo@x" alt="logo"><img src="data:image/png;base64,{inline}" alt="inline">'
    )
    mail.get_payload()[1].add_related(a_png(40, 20), "image", "png", cid="<logo@x>")  # type: ignore[union-attr,index]
    site.send_mail(mail)

    page = _open(opened, site, "Its own pictures")

    frame = page.frame_locator("iframe.body")
    assert _width(frame, "inline") == 7
    assert _width(frame, "logo") == 40
    expect(page.locator(".files")).to_have_count(0)
    expect(page.get_by_role("link", name="Show pictures")).to_have_count(0)


def test_a_picture_from_elsewhere_is_fetched_only_after_it_was_asked_for(
    opened: Opener, site: Site, tracker: Tracker
) -> None:
    url, asked = tracker
    site.send(
        "Tracked",
        html=f"""<p>Hello Ada<img src="{url}/pixel.gif" alt="pixel"></p>
        <table background="{url}/table.png"><tr><td style="background-image:url({url}/cell.png)">x</td></tr></table>""",
    )
    page = _open(opened, site, "Tracked")
    expect(page.frame_locator("iframe.body").get_by_text("Hello Ada")).to_be_visible()
    expect(
        page.get_by_text("Pictures of other servers not loaded, because they tell the sender that you read this: 3")
    ).to_be_visible()
    settled(page)
    assert asked == []

    page.get_by_role("link", name="Show pictures").click()

    expect(page.get_by_text("Pictures from elsewhere are shown.")).to_be_visible()
    expect(page.frame_locator("iframe.body").get_by_text("Hello Ada")).to_be_visible()
    _until(page, lambda: sorted(set(asked)) == ["/cell.png", "/pixel.gif", "/table.png"])


def _until(page: Page, holds: Callable[[], bool]) -> None:
    def holds_when_settled() -> bool:
        settled(page)
        return holds()

    poll(holds_when_settled)


def test_opening_another_mail_asks_again(opened: Opener, site: Site, tracker: Tracker) -> None:
    url, asked = tracker
    site.send("Tracked as well", html=f'<p>Hello Bob<img src="{url}/other.gif"></p>')
    page = _open(opened, site, "Tracked as well")
    page.get_by_role("link", name="Show pictures").click()
    _until(page, lambda: "/other.gif" in asked)
    asked.clear()

    page.get_by_role("link", name="Your verification code").click()
    expect(page.locator(".reader h2")).to_contain_text("Your verification code")
    page.get_by_role("link", name="Tracked as well").click()

    expect(page.get_by_role("link", name="Show pictures")).to_be_visible()
    settled(page)
    assert asked == []


def test_an_attachment_is_saved_under_its_name(opened: Opener, site: Site) -> None:
    mail = _mail("With files")
    mail.add_attachment(b"<script>alert(1)</script>", maintype="text", subtype="html", filename="rechnung-ü.html")
    mail.add_attachment(b"%PDF" * 1000, maintype="application", subtype="pdf", filename="a.pdf")
    site.send_mail(mail)
    page = _open(opened, site, "With files")

    with page.expect_download() as saved:
        page.get_by_role("link", name=re.compile("rechnung-ü.html")).click()

    assert saved.value.suggested_filename == "rechnung-ü.html"
    assert saved.value.path().read_bytes().strip() == b"<script>alert(1)</script>"
    expect(page.get_by_role("link", name=re.compile("a.pdf"))).to_contain_text("4.0 KB")


def test_all_four_views_of_a_mail_are_a_click_away(opened: Opener, site: Site) -> None:
    site.send("Four views", "Hello in text.", "<p>Hello in HTML</p>")
    page = _open(opened, site, "Four views")
    views = page.locator(".views")

    expect(page.frame_locator("iframe.body").get_by_text("Hello in HTML")).to_be_visible()
    views.get_by_role("link", name="Text").click()
    expect(page.locator("pre.body")).to_have_text("Hello in text.\n")
    views.get_by_role("link", name="Headers").click()
    expect(page.locator("dl.headers")).to_contain_text("no-reply@shop.example")
    views.get_by_role("link", name="Raw").click()
    expect(page.locator(".raw pre")).to_contain_text("Content-Type: multipart/alternative")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download .eml").click()

    assert b"Hello in text." in saved.value.path().read_bytes()


def test_a_mail_that_could_not_be_read_whole_says_so_in_the_readers_language(opened: Opener, site: Site) -> None:
    levels = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1000))
    site.send_raw(b"Subject: Too deep\r\n" + levels)

    page = _open(opened, site, "Too deep")
    expect(page.get_by_role("note")).to_contain_text("Its parts are nested too deeply.")

    chinese = opened(page.url.removeprefix(site.url), locale="zh-CN")
    expect(chinese.get_by_role("note")).to_contain_text("各部分嵌套过深")
