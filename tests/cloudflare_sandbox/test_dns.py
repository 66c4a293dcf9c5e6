"""DNS records: made, found, changed, refused."""

from typing import Any

import pytest

from tests.cloudflare_sandbox.pretend import Pretend, refusal, result

A_RECORD = {"type": "A", "name": "www.example.com", "content": "127.0.0.1", "ttl": 3600}


def test_a_record_looks_as_cloudflare_shows_it(cloudflare: Pretend) -> None:
    path = f"{cloudflare.pending_zone()}/dns_records"

    made = result(cloudflare.api.post(path, json={**A_RECORD, "data": None}))

    fields = "id name type content proxiable proxied ttl settings meta comment tags created_on modified_on"
    assert list(made) == fields.split()
    assert made | A_RECORD == made
    assert (made["proxiable"], made["comment"], made["tags"], made["meta"]) == (False, None, [], {})
    assert result(cloudflare.api.get(f"{path}/{made['id']}")) == made


def test_records_are_found_by_name_type_and_content(cloudflare: Pretend) -> None:
    path = f"{cloudflare.pending_zone()}/dns_records"
    text = {"type": "TXT", "name": "www.example.com", "content": "hello", "ttl": 1}
    mx = {"type": "MX", "name": "@", "content": "mail.elsewhere.example.", "priority": 10, "ttl": 1}
    for record in (A_RECORD, text, mx):
        result(cloudflare.api.post(path, json=record))

    def found(**query: str) -> list[str]:
        return [record["type"] for record in result(cloudflare.api.get(path, params=query))]

    assert found(name="www.example.com") == ["A", "TXT"]
    assert found(name="example.com", type="MX") == ["MX"]
    assert found(content="hello") == ["TXT"]
    assert found(**{"name.startswith": "ww"}) == ["A", "TXT"]
    assert found(nonsense="x", order="type", direction="desc") == ["TXT", "MX", "A"]
    empty = cloudflare.api.get(path, params={"name": "nobody.example.com"}).json()
    assert empty["result_info"] == {"page": 1, "per_page": 100, "count": 0, "total_count": 0, "total_pages": 1}


def test_put_resets_what_is_not_sent_and_patch_keeps_it(cloudflare: Pretend) -> None:
    path = f"{cloudflare.pending_zone()}/dns_records"
    one = f"{path}/{result(cloudflare.api.post(path, json={**A_RECORD, 'comment': 'mine'}))['id']}"

    patched = result(cloudflare.api.patch(one, json={"content": "192.0.2.7"}))
    assert (patched["content"], patched["ttl"], patched["comment"]) == ("192.0.2.7", 3600, "mine")
    replaced = result(cloudflare.api.put(one, json={"type": "A", "name": "www.example.com", "content": "192.0.2.8"}))
    assert (replaced["content"], replaced["ttl"], replaced["comment"]) == ("192.0.2.8", 1, None)
    assert result(cloudflare.api.delete(one)) == {"id": replaced["id"]}
    assert refusal(cloudflare.api.delete(one)) == (404, 81044)


def test_the_same_record_twice_is_refused(cloudflare: Pretend) -> None:
    path = f"{cloudflare.pending_zone()}/dns_records"
    result(cloudflare.api.post(path, json=A_RECORD))
    other = result(cloudflare.api.post(path, json={**A_RECORD, "content": "192.0.2.7"}))

    assert refusal(cloudflare.api.post(path, json=A_RECORD)) == (400, 81058)
    assert refusal(cloudflare.api.patch(f"{path}/{other['id']}", json={"content": "127.0.0.1"})) == (400, 81057)
    cname = {"type": "CNAME", "name": "www.example.com", "content": "elsewhere.example", "ttl": 1}
    assert refusal(cloudflare.api.post(path, json=cname)) == (400, 81053)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"content": "not an address"}, 9005),
        ({"type": "AAAA"}, 9006),
        ({"type": "NONSENSE"}, 1004),
        ({"ttl": 7}, 1004),
        ({"ttl": "1"}, 1004),
        ({"name": ""}, 1004),
        ({"type": "MX", "content": "mail.elsewhere.example"}, 1004),
        ({"tags": ["mine"]}, 9300),
        ({"comment": "x" * 101}, 9101),
    ],
)
def test_a_record_that_makes_no_sense_is_refused(cloudflare: Pretend, change: dict[str, Any], code: int) -> None:
    path = f"{cloudflare.pending_zone()}/dns_records"

    assert refusal(cloudflare.api.post(path, json={**A_RECORD, **change})) == (400, code)
