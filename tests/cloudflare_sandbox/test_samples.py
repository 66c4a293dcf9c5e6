"""
Recorded answers, replayed: the same call in the same state gets the same answer.

`samples/` holds what public captures show, one file each, with its fidelity: "recorded" bodies prove the
order of keys, those with "result recorded" only inside the result, "quoted" ones status, codes and texts,
"reconstructed" ones the fields. Values that differ by nature (ids, times, names) are compared by type.

Left out of the comparison, and why:
- nothing as a whole: all 40 samples are replayed, two of them by their headers only;
- of the zone of 2016: the owner's name and three fields that a recording of 2025 no longer has;
- header values that change with every answer (ray, date, audit id) are compared by being there;
- cookies, which the recordings had removed.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cloudflare_sandbox.pretend import Pretend, result, rule_for
from tests.cloudflare_sandbox.sample_states import STATES
from tests.cloudflare_sandbox.worker_target import SECRET, worker_target

SAMPLES: dict[str, dict[str, Any]] = {
    file.stem: json.loads(file.read_text(encoding="utf-8"))
    for file in sorted((Path(__file__).parent / "samples").glob("*.json"))
}
CALLS = [name for name, sample in SAMPLES.items() if "request" in sample]


@pytest.mark.parametrize("name", CALLS)
def test_a_recorded_call_gets_the_recorded_answer(cloudflare: Pretend, name: str) -> None:
    sample, asked = SAMPLES[name], STATES[name](cloudflare)
    request, recorded = sample["request"], sample["response"]
    path = request["path"].replace("{zone}", asked.zone).replace("{record}", asked.record)
    body = _with_account(request.get("body"), cloudflare.account_id)

    if name == "rate_limit_429_971":
        cloudflare.api.get("/zones")
    answer = cloudflare.api.request(request["method"], path, json=body, headers=asked.headers)

    assert answer.status_code == recorded["status"], answer.text
    assert {header: answer.headers.get(header) for header in recorded.get("headers", {})} == {
        header: answer.headers.get(header, "missing") if value == "*" else value
        for header, value in recorded.get("headers", {}).items()
    }
    if "body" in recorded:
        _same_body(answer.json(), recorded["body"], sample)


def _same_body(got: dict[str, Any], wanted: dict[str, Any], sample: dict[str, Any]) -> None:
    fidelity = sample["fidelity"]
    if sample.get("partial"):
        got = _only_what_is_in(got, wanted)
    assert _shape(got, ordered=fidelity == "recorded") == _shape(wanted, ordered=fidelity == "recorded")
    if fidelity == "result recorded":
        assert _shape(got["result"], ordered=True) == _shape(wanted["result"], ordered=True)
    if not wanted["success"]:
        assert [_told(error) for error in got["errors"]] == [_told(error) for error in wanted["errors"]]


def test_every_sample_has_its_state_and_says_how_far_it_can_be_trusted() -> None:
    assert set(CALLS) == set(STATES)
    fidelities = {sample["fidelity"] for sample in SAMPLES.values()}
    assert fidelities == {"recorded", "result recorded", "quoted", "reconstructed"}


def test_values_that_were_measured_are_the_values_told(cloudflare: Pretend) -> None:
    recorded = SAMPLES["email_routing_catch_all_default_200"]["response"]["body"]["result"]

    catch_all = result(cloudflare.api.get(f"{cloudflare.active_zone()}/email/routing/rules/catch_all"))

    assert {**catch_all, "id": recorded["id"], "tag": recorded["tag"]} == recorded


def test_a_name_never_switched_on_has_no_records_key_as_measured_last(cloudflare: Pretend) -> None:
    """mailda, 2026-09-26; the older capture with the key is replayed behind a switch."""
    path = f"{cloudflare.routing_zone('linuxdo.space')}/email/routing/dns"

    told = result(cloudflare.api.get(path, params={"subdomain": "alice.linuxdo.space"}))

    assert list(told) == ["errors"]


def test_the_worker_sees_the_recorded_checks_in_their_order(cloudflare: Pretend) -> None:
    """The header of a mail that came through Cloudflare: the same methods and properties, all "none" here."""
    recorded = SAMPLES["email_worker_auth_results_header"]
    path = cloudflare.routing_zone()
    result(cloudflare.api.post(f"{path}/email/routing/rules", json=rule_for("bob@example.com")))
    with worker_target() as target:
        worker = {"target": target.url, "secret": SECRET}
        cloudflare.controls.put("/workers/inbound", json=worker).raise_for_status()
        assert cloudflare.send("bob@example.com", b"From: ada@sender.example\r\n\r\nhi\r\n")[0] == 250
    ((_, _, raw),) = target.arrived

    (line,) = re.findall(rf"^{recorded['header']}: (.*)\r$", raw.decode(), re.MULTILINE)

    server, *checks = _checks(line)
    recorded_server, *recorded_checks = _checks(recorded["value"])
    # A mail without a signature has no DKIM properties to tell.
    recorded_checks[0] = ["dkim"]
    assert (server, checks) == (recorded_server, recorded_checks)


def _checks(value: str) -> list[list[str]]:
    """The names in each part: method first, then its properties; verdicts and comments left out."""
    parts = re.sub(r"\([^)]*\)", "", value).split(";")
    return [[word.partition("=")[0] for word in part.split()] for part in parts]


def _shape(value: Any, *, ordered: bool) -> Any:
    """Fields and JSON types of *value*; of a list which shapes occur in it."""
    if isinstance(value, dict):
        fields = [(name, _shape(inner, ordered=ordered)) for name, inner in value.items()]
        return "object", tuple(fields if ordered else sorted(fields, key=lambda field: field[0]))
    if isinstance(value, list):
        return "list", frozenset(_shape(inner, ordered=ordered) for inner in value)
    return {bool: "boolean", int: "number", float: "number", str: "string", type(None): "null"}[type(value)]


def _only_what_is_in(value: Any, wanted: Any) -> Any:
    if isinstance(value, dict) and isinstance(wanted, dict):
        return {name: _only_what_is_in(inner, wanted[name]) for name, inner in value.items() if name in wanted}
    if isinstance(value, list) and isinstance(wanted, list) and wanted:
        return [_only_what_is_in(inner, wanted[0]) for inner in value]
    return value


def _told(error: dict[str, Any]) -> dict[str, Any]:
    """An error without the path it names, which is shown with placeholders."""
    return {**error, "message": re.sub(r"to /\S+", "to /…", error["message"])}


def _with_account(body: Any, account_id: str) -> Any:
    if isinstance(body, dict) and isinstance(body.get("account"), dict):
        return {**body, "account": {"id": account_id}}
    return body
