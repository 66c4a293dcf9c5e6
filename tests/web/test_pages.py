"""Each page as nobody, a member and the admin see it, by plain HTTP."""

import html
import re

import httpx
import pytest

from kaisoumail.auth.sessions import COOKIE_NAME
from kaisoumail.parsing.html_document import document_policy
from kaisoumail.web.render import CONTENT_SECURITY_POLICY
from tests.builders import an_email
from tests.handing_over import send_by_smtp
from tests.servers import ADMIN_KEY
from tests.web.conftest import Site, text_of

SIGNED_IN = ["/workspace", "/workspace?mailbox=mbx_1&message=msg_1", "/workspace/lists", "/messages/msg_1",
             "/messages/msg_1/body", "/domains", "/passkeys"]  # fmt: skip


def _mailbox(site: Site, address: str) -> str:
    made = site.product.admin.post("/api/mailboxes/ensure", json={"address": address})
    return str(made.json()["id"])


def _mail(site: Site, address: str, html: str | None = None) -> str:
    mailbox_id = _mailbox(site, address)
    send_by_smtp(site.product.world.mx_port, address, an_email(to=address, html=html))
    [listed] = site.product.admin.get("/api/messages", params={"mailboxId": mailbox_id}).json()["messages"]
    return str(listed["id"])


# who


@pytest.mark.parametrize("path", SIGNED_IN)
def test_nobody_is_sent_to_sign_in_and_comes_back_to_the_very_page(site: Site, path: str) -> None:
    with site.visitor() as nobody:
        sent = nobody.get(path)
        assert sent.status_code == 303
        assert httpx.URL(sent.headers["location"]).params["next"] == path

        signed_in = nobody.post("/login", data={"api_key": ADMIN_KEY, "next": path})

    assert (signed_in.status_code, signed_in.headers["location"]) == (303, path)


def test_a_wrong_key_is_refused_on_the_same_page(site: Site) -> None:
    with site.visitor() as nobody:
        refused = nobody.post("/login", data={"api_key": "cfm_wrong-key-wrong-key", "next": "/domains"})

    assert refused.status_code == 401
    assert "not known here" in text_of(refused)
    assert 'value="/domains"' in refused.text
    assert "cfm_wrong" not in refused.text


def test_signing_in_never_leads_to_another_site(site: Site) -> None:
    with site.visitor() as nobody:
        answer = nobody.post("/login", data={"api_key": ADMIN_KEY, "next": "//evil.example/"})

    assert answer.headers["location"] == "/workspace"


def test_signing_out_ends_the_session_itself(site: Site) -> None:
    with site.admin() as admin, site.visitor() as thief:
        thief.cookies.set(COOKIE_NAME, admin.cookies[COOKIE_NAME])
        assert thief.get("/workspace").status_code == 200

        left = admin.post("/logout")

        assert left.headers["location"] == "/login"
        assert "Max-Age=0" in left.headers["set-cookie"]
        assert thief.get("/workspace").status_code == 303


def test_a_member_is_told_that_domains_are_for_admins(site: Site) -> None:
    with site.member() as bob:
        page, bound = bob.get("/domains"), bob.post("/domains", data={"domain": "bobs.example"})
        retried = bob.post("/domains/dom_1/retry")

    assert [page.status_code, bound.status_code, retried.status_code] == [403, 403, 403]
    assert "Admins only" in text_of(page)
    assert 'href="/domains"' not in page.text


def test_a_member_cannot_look_into_a_mail_or_mailbox_of_somebody_else(site: Site) -> None:
    message_id = _mail(site, "private@mail.customer.com", html="<p>Secret</p>")
    mailbox_id = _mailbox(site, "private@mail.customer.com")

    with site.member() as bob:
        answers = [
            bob.get(f"/messages/{message_id}"),
            bob.get(f"/messages/{message_id}/body"),
            bob.get(f"/workspace?mailbox={mailbox_id}"),
            bob.get(f"/workspace?message={message_id}"),
        ]

    assert [answer.status_code for answer in answers] == [403, 404, 403, 403]
    assert not any("Secret" in answer.text or "private@" in text_of(answer) for answer in answers)


# forms


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_a_form_another_site_sent_is_not_taken(site: Site, headers: dict[str, str]) -> None:
    with site.admin() as admin:
        before = len(site.product.admin.get("/api/mailboxes").json()["mailboxes"])
        refused = admin.post("/workspace", headers=headers)

    assert refused.status_code == 403
    assert len(site.product.admin.get("/api/mailboxes").json()["mailboxes"]) == before


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "same-origin"}, {"origin": "OWN"}, {}])
def test_a_form_of_our_own_is_taken(site: Site, headers: dict[str, str]) -> None:
    sent = {name: site.product.url if value == "OWN" else value for name, value in headers.items()}
    with site.admin() as admin:
        made = admin.post("/workspace", headers=sent)

    assert made.status_code == 303
    assert "notice=created" in made.headers["location"]


def test_a_typed_mailbox_is_made_as_asked(site: Site) -> None:
    form = {"local_part": "Typed", "subdomain": "mail", "root_domain": "customer.com", "lifetime": "1440"}
    with site.member() as bob:
        made = bob.post("/workspace", data=form)
        shown = bob.get(made.headers["location"])

    assert "typed@mail.customer.com" in text_of(shown)
    assert "expires in 23 h" in text_of(shown)


def test_an_address_of_somebody_else_is_said_to_be_taken(site: Site) -> None:
    _mailbox(site, "owned@mail.customer.com")

    with site.member() as bob:
        refused = bob.post("/workspace", data={"local_part": "owned@mail.customer.com"})

    assert refused.status_code == 409
    assert "This address is taken" in text_of(refused)


@pytest.mark.parametrize("body", [b"domain=%FF%FE", b"&".join([b"a=1"] * 100)])
def test_a_form_that_cannot_be_read_is_refused_in_words(site: Site, body: bytes) -> None:
    with site.admin() as admin:
        refused = admin.post("/domains", content=body)

    assert refused.status_code == 400
    assert "text/html" in refused.headers["content-type"]


# what cannot be found, and what somebody typed into the address bar


@pytest.mark.parametrize(
    "path",
    ["/messages/msg_none", "/messages/msg_none/body", "/workspace?mailbox=mbx_none", "/workspace?message=msg_none"],
)
def test_what_does_not_exist_is_said_inside_the_frame(site: Site, path: str) -> None:
    with site.admin() as admin:
        missing = admin.get(path)

    assert missing.status_code == 404
    assert 'role="alert"' in missing.text
    assert 'class="rail"' in missing.text


@pytest.mark.parametrize(
    "query",
    ["notice=disabled&domain=dom_1", "notice=nonsense", "code=nonsense&seconds=-4", "details=nonsense",
     "code=subdomain_direct_bind_not_supported", "code=cloudflare_rate_limited&seconds=30",
     "code=zone_permission_missing"],
)  # fmt: skip
def test_a_made_up_address_breaks_nothing(site: Site, query: str) -> None:
    with site.admin() as admin:
        assert admin.get(f"/domains?{query}").status_code == 200


# headers


def test_every_page_has_a_strict_policy_and_is_kept_nowhere(site: Site) -> None:
    message_id = _mail(site, "headers@mail.customer.com", html="<p>Hello</p>")
    with site.admin() as admin:
        answers = [admin.get(path) for path in ("/workspace", "/domains", f"/messages/{message_id}", "/messages/none")]
        body = admin.get(f"/messages/{message_id}/body")
    answers.append(httpx.get(f"{site.product.url}/login"))

    for answer in answers:
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=", answer.text)
    assert body.headers["content-security-policy"] == document_policy(remote=False)
    for answer in (*answers, body):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer")


def test_the_frame_around_a_mail_is_a_sandbox_without_scripts_or_our_origin(site: Site) -> None:
    message_id = _mail(site, "sandbox@mail.customer.com", html="<p>Hello</p>")

    with site.admin() as admin:
        page = admin.get(f"/messages/{message_id}")

    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text


# fragments


def test_the_lists_answer_only_when_something_changed(site: Site) -> None:
    with site.admin() as admin:
        page = admin.get("/workspace")
        found = re.search(r'hx-get="([^"]+)"', page.text)
        assert found is not None
        poll = found.group(1).replace("&amp;", "&")
        assert admin.get(poll).status_code == 204

        _mail(site, "changed@mail.customer.com")
        changed = admin.get(poll)

    assert changed.status_code == 200
    assert changed.text.count("<hx-partial") == 3
    assert "842911" in changed.text


def test_a_fragment_asked_for_after_the_session_ended_sends_the_page_to_sign_in(site: Site) -> None:
    headers = {"hx-request": "true", "hx-current-url": f"{site.product.url}/workspace?mailbox=mbx_1"}
    with site.visitor() as nobody:
        answer = nobody.get("/workspace/lists", headers=headers)

    assert answer.headers["hx-redirect"] == "/login?next=/workspace%3Fmailbox%3Dmbx_1"


def test_only_the_newest_mails_are_shown_at_first(site: Site) -> None:
    mailbox_id = _mailbox(site, "many@mail.customer.com")
    for number in range(4):
        raw = an_email(to="many@mail.customer.com", subject=f"Mail number {number}")
        send_by_smtp(site.product.world.mx_port, "many@mail.customer.com", raw)

    with site.admin() as admin:
        few = admin.get(f"/workspace?mailbox={mailbox_id}&shown=2")

    assert "Mail number 3" in few.text
    assert "Mail number 1" not in few.text
    assert "Show older mails (2)" in text_of(few)


def test_as_many_mails_as_are_shown_are_asked_for_again(site: Site) -> None:
    mailbox_id = _mailbox(site, "counted@mail.customer.com")
    with site.admin() as admin:
        page = admin.get(f"/workspace?mailbox={mailbox_id}&shown=2")
        poll = html.unescape(re.findall(r'hx-get="(/workspace/lists[^"]*)"', page.text)[0])

        assert "shown=2" in poll
        assert admin.get(poll).status_code == 204


# languages, preferences, assets


def test_pages_speak_the_language_of_the_browser(site: Site) -> None:
    with site.visitor(language="zh-CN,zh;q=0.9") as reader:
        page = reader.get("/login")

    assert '<html lang="zh-Hans"' in page.text
    assert "登录 KaisouMail" in text_of(page)


def test_a_chosen_language_and_theme_are_remembered(site: Site) -> None:
    with site.visitor(language="en") as reader:
        chosen = reader.post("/preferences", data={"language": "zh", "next": "/login?next=/domains"})
        reader.post("/preferences", data={"theme": "dark"})
        page = reader.get("/login")

    assert chosen.headers["location"] == "/login?next=/domains"
    assert '<html lang="zh-Hans" data-theme="dark">' in page.text


def test_a_language_nobody_speaks_is_not_remembered(site: Site) -> None:
    with site.visitor() as reader:
        answer = reader.post("/preferences", data={"language": "x; Domain=evil.example"})

    assert "set-cookie" not in answer.headers


def test_assets_may_be_kept_for_ever_because_their_name_changes_with_them(site: Site) -> None:
    with site.visitor() as reader:
        names = re.findall(r'(?:href|src)="(/static/[^"]+)"', reader.get("/login").text)
        assert len(names) >= 8
        for name in names:
            asset = reader.get(name)
            assert asset.status_code == 200
            assert "immutable" in asset.headers["cache-control"]
            again = reader.get(name, headers={"if-none-match": asset.headers["etag"]})
            assert again.status_code == 304
        plain = reader.get(names[0].partition("?")[0])

    assert plain.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["nothing.css", "../app.py", "..%2f..%2fapp.py", "%2e%2e/render.py"])
def test_nothing_but_assets_is_served(site: Site, name: str) -> None:
    with site.visitor() as reader:
        answer = reader.get(f"/static/{name}")

    assert answer.status_code == 404
    assert "import" not in answer.text


# domains


def test_binding_shows_the_name_servers_and_a_row_that_waits(site: Site) -> None:
    with site.admin() as admin:
        bound = admin.post("/domains", data={"domain": "waits.example"})
        page = admin.get(bound.headers["location"])

    assert bound.status_code == 303
    assert "Waiting for nameservers" in text_of(page)
    assert 'title="provisioning_error · pending"' in page.text
    assert page.text.count(".ns.cloudflare.com</code>") == 2


@pytest.mark.parametrize(
    ("typed", "status", "sentence"),
    [
        ("mail.other.example", 400, "user@mail.other.example"),
        ("co.uk", 400, "This is a public suffix"),
        ("https://other.example/", 400, "without https://"),
        ("", 400, "This is not a domain name"),
        ("customer.com", 409, "This domain is here already"),
    ],
)
def test_a_refused_name_is_explained_and_kept_in_the_field(site: Site, typed: str, status: int, sentence: str) -> None:
    with site.admin() as admin:
        refused = admin.post("/domains", data={"domain": typed})

    assert refused.status_code == status
    assert sentence in text_of(refused)
    assert f'value="{typed}"' in refused.text


def test_an_action_on_a_domain_that_is_gone_says_so_on_the_page(site: Site) -> None:
    with site.admin() as admin:
        sent = admin.post("/domains/dom_none/retry")
        page = admin.get(sent.headers["location"])

    assert sent.status_code == 303
    assert "There is no such domain" in text_of(page)


@pytest.mark.parametrize("path", ["/nowhere", "/workspace/", "/domains/x/y"])
def test_an_unknown_page_is_a_page_that_says_so(site: Site, path: str) -> None:
    page = httpx.get(f"{site.product.url}{path}", headers={"accept": "text/html"})

    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")


def test_an_unknown_path_asked_by_a_program_is_json(site: Site) -> None:
    answer = httpx.get(f"{site.product.url}/nowhere")

    assert answer.json()["details"]["code"] == "not_found"
