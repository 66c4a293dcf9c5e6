"""`/passkeys` and the passkey part of `/login`, by plain HTTP."""

from collections.abc import Iterator

import httpx
import pytest

from tests.api.passkeys.conftest import OWN, registered
from tests.authenticator import Authenticator
from tests.servers import a_world
from tests.web.conftest import Site, text_of


@pytest.fixture(scope="module")
def passkey_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with a_world(tmp_path_factory.mktemp("site"), WEB_APP_ORIGIN=OWN) as world, world.product() as product:
        yield Site(product, product.add_member("Bob"))


def _passkey(visitor: httpx.Client, name: str) -> str:
    identity: str = registered(visitor, Authenticator(OWN), name)["id"]
    return identity


def test_ones_own_passkeys_are_listed_and_nobody_elses(passkey_site: Site) -> None:
    with passkey_site.member() as bob, passkey_site.admin() as root:
        before = text_of(bob.get("/passkeys"))
        _passkey(bob, "<b>Bob's</b> phone")

        mine, theirs = bob.get("/passkeys"), root.get("/passkeys")

    assert "No passkeys yet" in before
    assert "<b>Bob's</b> phone" in text_of(mine)
    assert "phone" not in text_of(theirs)


def test_a_passkey_is_renamed_and_the_page_says_so(passkey_site: Site) -> None:
    with passkey_site.member() as bob:
        passkey = _passkey(bob, "Phone")

        sent = bob.post(f"/passkeys/{passkey}/rename", data={"name": "Old phone"})
        shown = bob.get(sent.headers["location"])

    assert sent.status_code == 303
    assert "It is called “Old phone” now." in text_of(shown)


def test_a_name_that_will_not_do_changes_nothing(passkey_site: Site) -> None:
    with passkey_site.member() as bob:
        passkey = _passkey(bob, "Tablet")

        refused = bob.post(f"/passkeys/{passkey}/rename", data={"name": " "})

    assert refused.status_code == 400
    assert "A name has 1 to 64 characters" in text_of(refused)
    assert "Tablet" in text_of(refused)


def test_a_passkey_is_revoked_and_stays_listed(passkey_site: Site) -> None:
    with passkey_site.member() as bob:
        passkey = _passkey(bob, "Lost phone")

        sent = bob.post(f"/passkeys/{passkey}/revoke")
        shown = bob.get(sent.headers["location"])

    assert sent.status_code == 303
    assert "“Lost phone” is revoked" in text_of(shown)
    assert f'action="/passkeys/{passkey}/revoke"' not in shown.text


@pytest.mark.parametrize(("deed", "status"), [("rename", 404), ("revoke", 403)])
def test_nobody_changes_what_is_not_theirs(passkey_site: Site, deed: str, status: int) -> None:
    with passkey_site.member() as bob, passkey_site.admin() as root:
        passkey = _passkey(bob, "Bob's own")

        foreign = root.post(f"/passkeys/{passkey}/{deed}", data={"name": "Mine"})
        unknown = root.post(f"/passkeys/psk_none/{deed}", data={"name": "Mine"})
        shown = text_of(bob.get("/passkeys"))

    assert (foreign.status_code, unknown.status_code) == (status, 404)
    assert "There is no such passkey" in text_of(unknown)
    assert "Bob's own" in shown


@pytest.mark.parametrize("deed", ["rename", "revoke"])
def test_a_form_from_another_site_does_nothing(passkey_site: Site, deed: str) -> None:
    with passkey_site.member() as bob:
        passkey = _passkey(bob, "Kept")

        refused = bob.post(f"/passkeys/{passkey}/{deed}", data={"name": "x"}, headers={"sec-fetch-site": "same-site"})

    assert refused.status_code == 403


def test_an_address_bar_somebody_played_with_says_nothing(passkey_site: Site) -> None:
    with passkey_site.member() as bob:
        passkey = _passkey(bob, "Quiet")
        for query in (f"notice=burned&passkey={passkey}", "notice=revoked&passkey=psk_none", "notice=revoked"):
            assert 'class="note note-good"' not in bob.get(f"/passkeys?{query}").text


def test_where_passkeys_work_is_told_to_the_script(passkey_site: Site) -> None:
    with passkey_site.visitor() as nobody:
        page = nobody.get("/login?next=/domains")

    assert f"data-origins='[\"{OWN}\"]'" in page.text
    assert 'data-next="/domains"' in page.text


@pytest.mark.parametrize("path", ["/login", "/passkeys"])
def test_without_an_origin_the_page_says_how_to_set_passkeys_up(site: Site, path: str) -> None:
    with site.admin() if path == "/passkeys" else site.visitor() as visitor:
        page = visitor.get(path)

    assert "Passkeys are not set up here" in text_of(page)
    assert "/docs/deployment-environment#passkeys" in page.text
    assert "data-passkeys" not in page.text
