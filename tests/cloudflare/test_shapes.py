"""Whatever comes for an answer, what leaves the client is a value of its shape or an error of ours."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaisoumail.cloudflare import ai, email_routing, tokens, workers, zones
from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.cloudflare.errors import CloudflareError, RateLimited, UnreadableAnswer
from kaisoumail.model.code import UncertainCode
from kaisoumail.model.domain import Zone
from tests.cloudflare.prepared import AnswerWith, a_prepared_server, http

ID: Final = "0123456789abcdef0123456789abcdef"
ZONE: Final = {"id": ID, "name": "customer.com", "status": "active", "name_servers": ["ada.ns.example"], "meta": {}}
ADDRESS: Final = "ada@mail.customer.com"
RULE: Final = {
    "id": ID,
    "name": f"Mailbox {ADDRESS}",
    "enabled": True,
    "matchers": [{"type": "literal", "field": "to", "value": ADDRESS}],
    "actions": [{"type": "worker", "value": ["worker"]}],
}
SETTINGS: Final = {"id": ID, "name": "customer.com", "enabled": True, "status": "ready"}
DUPLICATE: Final = {"success": False, "errors": [{"code": 2014, "message": "Duplicate rule"}], "result": None}
SCRIPT: Final = workers.Script("worker.mjs", b"//", "2026-01-01", {}, {})
UNCERTAIN_CODES: Final = [
    UncertainCode("551177", "body", "551177 or 662288", None),
    UncertainCode("662288", "body", "551177 or 662288", None),
]

Ask = Callable[[Cloudflare], Awaitable[Any]]
ENDPOINTS: Final[dict[str, tuple[Any, Ask]]] = {
    "find a zone": ([ZONE], lambda client: zones.find_zone(client, "customer.com", ID)),
    "list zones": ([ZONE], zones.list_zones),
    "create a zone": (ZONE, lambda client: zones.create_zone(client, "customer.com", ID)),
    "read a zone": (ZONE, lambda client: zones.read_zone(client, ID)),
    "delete a zone": ({"id": ID}, lambda client: zones.delete_zone(client, ID)),
    "check activation": ({"id": ID}, lambda client: zones.check_activation(client, ID)),
    "enable Email Routing": (SETTINGS, lambda client: email_routing.enable(client, ID)),
    "enable a subdomain": (SETTINGS, lambda client: email_routing.enable_subdomain(client, ID, "mail.customer.com")),
    "create a rule": (RULE, lambda client: email_routing.ensure_rule(client, ID, "ada@mail.customer.com", "worker")),
    "find a rule": ([RULE], lambda client: email_routing.ensure_rule(client, ID, "ada@mail.customer.com", "worker")),
    "delete a rule": ({"id": ID}, lambda client: email_routing.delete_rule(client, ID, ID)),
    "verify the token": ({"id": ID, "status": "active"}, lambda client: tokens.kind_of(client, ID)),
    "read the account": ({"id": ID, "name": "Mine"}, lambda client: tokens.read_account(client, ID)),
    "try permissions": ({}, lambda client: tokens.probes_of(client, Zone(ID, "customer.com", "active"))),
    "read a Worker": (
        {"bindings": [{"type": "plain_text", "name": "KAISOUMAIL_URL", "text": "https://mail.example"}]},
        lambda client: workers.find_variables(client, ID, "worker"),
    ),
    "upload a Worker": ({}, lambda client: workers.upload(client, ID, "worker", SCRIPT)),
    "ask a model": (
        {"response": {"choice": 1}},
        lambda client: ai.choose(client, ID, "@cf/a/b", "Codes", UNCERTAIN_CODES),
    ),
}

Asked = Callable[[AnswerWith, Ask], Any]

_scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([10**400, -1, "", "\0"])
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner), max_leaves=5
)
_statuses = st.sampled_from([200] * 8 + [201, 204, 301, 302, 304, 400, 401, 403, 404, 409, 429, 500, 503, 999])
_edges = [
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"NaN",
    b"1e999",
    b'"\xff\xfe"',
    b'"\\ud800"',
    b"9" * 5000,
    b"\xef\xbb\xbf{}",
]


def _envelope(result: Any) -> dict[str, Any]:
    info = {"page": 1, "per_page": 50, "count": 1, "total_count": 1, "total_pages": 1}
    return {"success": True, "errors": [], "messages": [], "result": result, "result_info": info}


@st.composite
def _spoilt(draw: st.DrawFn, sample: Any) -> bytes:
    """*sample* as JSON with one or two places changed, taken away or wrapped, perhaps cut off or with bytes inside."""
    value = json.loads(json.dumps(sample))
    for _ in range(draw(st.integers(0, 2))):
        holder, key = draw(st.sampled_from(_places(value)))
        change = draw(st.sampled_from(["replace", "remove", "wrap"]))
        if change == "remove":
            del holder[key]
        else:
            holder[key] = draw(_values) if change == "replace" else [holder[key]]
    wire = json.dumps(value).encode()
    at = draw(st.integers(0, len(wire)))
    end = draw(st.sampled_from(["whole", "whole", "cut", "bytes", "twice"]))
    edge = draw(st.sampled_from(_edges))
    return {"whole": wire, "cut": wire[:at], "bytes": wire[:at] + edge + wire[at:], "twice": wire + wire}[end]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in *value* that something stands in: what holds it, and its key or index."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in _places(value[key])] or [({"": 0}, "")]


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    """Asks a client, one for all, whose server answers as prepared."""
    answers: list[AnswerWith] = []

    async def ask_the(client: Cloudflare, ask: Ask) -> Any:
        return await ask(client)

    def asked(answer: AnswerWith, ask: Ask) -> Any:
        answers.append(answer)
        return runner.run(ask_the(client, ask))

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        server = a_prepared_server(lambda method, target: answers[-1](method, target))
        client = Cloudflare(runner.run(stack.enter_async_context(server)), "a-token-of-twenty-letters")
        stack.push_async_callback(client.close)
        yield asked
        runner.run(stack.aclose())


@pytest.mark.parametrize("name", ENDPOINTS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_i9_an_answer_of_any_shape_is_a_value_or_an_error_of_ours(asked: Asked, name: str, data: st.DataObject) -> None:
    sample, ask = ENDPOINTS[name]
    status, spoilt = data.draw(_statuses), data.draw(_spoilt(_envelope(sample)))

    def answer(method: str, _target: str) -> bytes:
        if name == "find a rule" and method == "POST":
            return http(409, json.dumps(DUPLICATE).encode())
        return http(status, spoilt, "retry-after: -5")

    left_with = _error_of(asked, answer, ask)

    if left_with is not None:
        assert json.dumps(left_with.problem().details)
        assert len(left_with.answer.message) <= 500


@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_answer_as_documented_is_a_value(asked: Asked, name: str) -> None:
    sample, ask = ENDPOINTS[name]

    def answer(method: str, _target: str) -> bytes:
        if name == "find a rule" and method == "POST":
            return _ordinary(409, DUPLICATE)
        return _ordinary(200, _envelope(sample))

    assert _error_of(asked, answer, ask) is None


@pytest.mark.parametrize(
    "change",
    [
        {"id": 7},
        {"id": None},
        {"id": "../../accounts"},
        {"id": "a\n"},
        {"id": ""},
        {"name": None},
        {"name": ["customer.com"]},
        {"name": "customer.com\0"},
        {"name": "c" * 254},
        {"status": 1},
        {"name_servers": "ada.ns.example"},
        {"name_servers": [None]},
        {"name_servers": ["ns.example"] * 51},
    ],
    ids=str,
)
def test_a_zone_of_odd_types_is_unreadable_and_the_reason_says_where(asked: Asked, change: dict[str, Any]) -> None:
    answer = _ordinary(200, _envelope({**ZONE, **change}))

    with pytest.raises(UnreadableAnswer, match=f"not as documented: .*{next(iter(change))}") as caught:
        asked(lambda *_: answer, lambda client: zones.read_zone(client, ID))

    assert (caught.value.answer.method, caught.value.answer.status) == ("GET", 200)
    assert caught.value.answer.path == f"/zones/{ID}"


def test_a_word_that_cloudflare_invents_is_no_trouble(asked: Asked) -> None:
    answer = _ordinary(200, _envelope({**ZONE, "status": "hibernating", "type": "imaginary", "news": [{}]}))

    zone = asked(lambda *_: answer, lambda client: zones.read_zone(client, ID))

    assert zone.status == "hibernating"
    assert not zone.is_active


def test_a_success_that_names_an_error_is_none(asked: Asked) -> None:
    answer = _ordinary(200, {**_envelope(ZONE), "errors": [{"code": 4711, "message": "well"}]})

    with pytest.raises(UnreadableAnswer, match="4711: well"):
        asked(lambda *_: answer, lambda client: zones.read_zone(client, ID))


def test_nobody_is_followed_elsewhere(asked: Asked) -> None:
    targets = []

    def answer(_method: str, target: str) -> bytes:
        targets.append(target)
        return http(307, b"", "location: /elsewhere")

    with pytest.raises(UnreadableAnswer):
        asked(answer, lambda client: zones.read_zone(client, ID))

    assert targets == [f"/zones/{ID}"]


@pytest.mark.parametrize("errors", ["[[],[" + "[]," * 100_000 + "[]]]", '"\\ud800"', "[" * 500 + "]" * 500, '"\xff"'])
def test_errors_that_cannot_be_read_are_errors_all_the_same(asked: Asked, errors: str) -> None:
    body = f'{{"success": true, "errors": {errors}, "result": {json.dumps(ZONE)}}}'.encode("latin-1")

    with pytest.raises(UnreadableAnswer):
        asked(lambda *_: http(200, body), lambda client: zones.read_zone(client, ID))


@pytest.mark.parametrize("errors", [None, 7, {}, [], [None], [{"code": "x"}], [{"code": True}], [{"code": 10**30}]])
def test_a_limit_counts_whatever_its_errors_look_like(asked: Asked, errors: Any) -> None:
    answer = _ordinary(429, {"success": False, "errors": errors})

    with pytest.raises(RateLimited) as caught:
        asked(lambda *_: answer, lambda client: zones.read_zone(client, ID))

    assert caught.value.answer.code is None
    assert caught.value.retry_after == 900


def _ordinary(status: int, body: Any) -> bytes:
    return http(status, json.dumps(body).encode())


def _error_of(asked: Asked, answer: AnswerWith, ask: Ask) -> CloudflareError | None:
    try:
        asked(answer, ask)
    except CloudflareError as error:
        return error
    return None
