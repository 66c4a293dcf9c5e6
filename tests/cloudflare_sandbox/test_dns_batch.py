"""Many DNS changes in one call: their order, and all or nothing."""

from typing import Any

import pytest

from tests.cloudflare_sandbox.pretend import Pretend, refusal, result


def _text(name: str, content: str) -> dict[str, Any]:
    return {"type": "TXT", "name": name, "content": content, "ttl": 1}


def _contents(cloudflare: Pretend, path: str) -> list[str]:
    return sorted(record["content"] for record in result(cloudflare.api.get(path)))


@pytest.fixture
def path(cloudflare: Pretend) -> str:
    return f"{cloudflare.active_zone()}/dns_records"


def test_deletes_come_first_so_that_their_place_is_free_for_posts(cloudflare: Pretend, path: str) -> None:
    old = result(cloudflare.api.post(path, json=_text("a.example.com", "same")))

    body = {"posts": [_text("a.example.com", "same")], "deletes": [{"id": old["id"]}]}
    done = result(cloudflare.api.post(f"{path}/batch", json=body))

    assert list(done) == ["deletes", "patches", "puts", "posts"]
    assert (done["deletes"], done["patches"], done["puts"]) == ([old], [], [])
    assert done["posts"][0]["id"] != old["id"]
    assert _contents(cloudflare, path) == ["same"]


def test_patches_come_before_puts(cloudflare: Pretend, path: str) -> None:
    record = result(cloudflare.api.post(path, json={**_text("a.example.com", "old"), "comment": "mine"}))
    body = {
        "puts": [{"id": record["id"], **_text("a.example.com", "put")}],
        "patches": [{"id": record["id"], "content": "patched"}],
    }

    done = result(cloudflare.api.post(f"{path}/batch", json=body))

    assert (done["patches"][0]["content"], done["patches"][0]["comment"]) == ("patched", "mine")
    assert (done["puts"][0]["content"], done["puts"][0]["comment"]) == ("put", None)
    assert _contents(cloudflare, path) == ["put"]


def test_the_first_error_is_the_answer_and_nothing_has_happened(cloudflare: Pretend, path: str) -> None:
    gone = result(cloudflare.api.post(path, json=_text("a.example.com", "gone")))
    kept = result(cloudflare.api.post(path, json=_text("b.example.com", "kept")))
    body = {
        "deletes": [{"id": gone["id"]}],
        "patches": [{"id": kept["id"], "content": "patched"}],
        "posts": [_text("c.example.com", "new"), {"type": "A", "name": "d", "content": "no address"}, {"type": "NONE"}],
    }

    refused = cloudflare.api.post(f"{path}/batch", json=body)

    assert refusal(refused) == (400, 9005)
    assert len(refused.json()["errors"]) == 1
    assert result(cloudflare.api.get(path)) == [gone, kept]


def test_a_record_that_is_not_there_or_locked_undoes_the_batch_too(cloudflare: Pretend) -> None:
    path = f"{cloudflare.routing_zone()}/dns_records"
    before = result(cloudflare.api.get(path))

    for body, code in (
        ({"deletes": [{"id": "0" * 32}]}, 81044),
        ({"deletes": [{"id": before[0]["id"]}]}, 890190),
        ({"posts": [_text("a.example.com", "1"), _text("a.example.com", "1")]}, 81058),
        ({"posts": "none"}, 1004),
        ({"deletes": ["an id"]}, 1004),
    ):
        assert refusal(cloudflare.api.post(f"{path}/batch", json=body))[1] == code

    assert result(cloudflare.api.get(path)) == before


def test_a_batch_holds_two_hundred_operations(cloudflare: Pretend, path: str) -> None:
    posts = [_text(f"t{number}.example.com", "x") for number in range(200)]

    assert cloudflare.api.post(f"{path}/batch", json={"posts": [*posts, _text("more", "x")]}).status_code == 400
    assert _contents(cloudflare, path) == []
    assert len(result(cloudflare.api.post(f"{path}/batch", json={"posts": posts}))["posts"]) == 200


def test_a_zone_holds_two_hundred_records(cloudflare: Pretend, path: str) -> None:
    posts = [_text(f"t{number}.example.com", "x") for number in range(199)]
    result(cloudflare.api.post(f"{path}/batch", json={"posts": posts}))
    last = result(cloudflare.api.post(path, json=_text("last.example.com", "x")))

    refused = cloudflare.api.post(path, json=_text("more.example.com", "x"))
    assert refusal(refused) == (400, 81045)
    assert refused.json()["errors"][0]["message"] == "Record quota exceeded."
    swap = {"deletes": [{"id": last["id"]}], "posts": [_text("more.example.com", "x")]}
    assert result(cloudflare.api.post(f"{path}/batch", json=swap))["posts"][0]["name"] == "more.example.com"


def test_a_batch_needs_the_right_to_write(cloudflare: Pretend, path: str) -> None:
    with cloudflare.client(cloudflare.token(["DNS Read"])) as client:
        assert refusal(client.post(f"{path}/batch", json={})) == (403, 10000)
