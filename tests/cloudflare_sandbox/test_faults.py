"""Trouble on demand, and the rate limit."""

import httpx
import pytest

from tests.cloudflare_sandbox.pretend import Pretend, refusal, result


def _names(cloudflare: Pretend) -> list[str]:
    return [zone["name"] for zone in result(cloudflare.api.get("/zones"))]


def test_a_fault_hits_the_calls_it_fits_as_often_as_it_says(cloudflare: Pretend) -> None:
    path = cloudflare.active_zone()
    cloudflare.fault("POST", "/zones/*/email/routing/enable", status=500, times=2)

    for _ in range(2):
        assert refusal(cloudflare.api.post(f"{path}/email/routing/enable", json={})) == (500, 1052)

    assert result(cloudflare.api.get(f"{path}/email/routing"))["enabled"] is False
    assert result(cloudflare.api.post(f"{path}/email/routing/enable", json={}))["enabled"] is True


def test_a_fault_may_name_the_path_with_its_prefix_and_its_own_words(cloudflare: Pretend) -> None:
    cloudflare.fault("GET", "/client/v4/zones", status=429, retryAfter=7)
    cloudflare.fault("GET", "/client/v4/zones", status=403, code=4711, message="Not today")

    limited, refused = cloudflare.api.get("/zones"), cloudflare.api.get("/zones")

    assert (refusal(limited), limited.headers["retry-after"]) == ((429, 971), "7")
    assert (refusal(refused), refused.json()["errors"][0]["message"]) == ((403, 4711), "Not today")
    assert refused.headers["cf-ray"]


def test_a_connection_dropped_before_leaves_nothing_behind_and_one_dropped_after_does(cloudflare: Pretend) -> None:
    body = {"name": "example.com", "account": {"id": cloudflare.account_id}}
    cloudflare.fault("POST", "/zones", drop="before")
    with pytest.raises(httpx.RemoteProtocolError):
        cloudflare.api.post("/zones", json=body)
    assert _names(cloudflare) == []

    cloudflare.fault("POST", "/zones", drop="after")
    with pytest.raises(httpx.RemoteProtocolError):
        cloudflare.api.post("/zones", json=body)

    assert _names(cloudflare) == ["example.com"]
    dropped = [call["status"] for call in cloudflare.received() if call["method"] == "POST"]
    assert dropped == [None, None]


def test_bodies_that_are_not_the_envelope_one_knows(cloudflare: Pretend) -> None:
    for body in ("html", "not_json_200", "success_false_200"):
        cloudflare.fault("*", "*", body=body)

    html, maintenance, unsuccessful = (cloudflare.api.get("/zones") for _ in range(3))

    assert (html.status_code, html.headers["content-type"]) == (502, "text/html; charset=UTF-8")
    assert (maintenance.status_code, maintenance.text[:9]) == (200, "<!DOCTYPE")
    assert refusal(unsuccessful)[0] == 200


def test_a_delay_alone_lets_the_call_through(cloudflare: Pretend) -> None:
    cloudflare.fault("GET", "/zones", delayMs=300)

    with pytest.raises(httpx.ReadTimeout):
        cloudflare.api.get("/zones", timeout=0.1)

    assert _names(cloudflare) == []


def test_faults_can_be_forgotten_and_nonsense_is_refused(cloudflare: Pretend) -> None:
    cloudflare.fault("GET", "/zones", status=500, times=100)
    cloudflare.controls.delete("/faults").raise_for_status()

    assert _names(cloudflare) == []
    assert cloudflare.controls.post("/faults", json={"drop": "sometimes"}).status_code == 400
    assert cloudflare.controls.post("/faults", json={"statsu": 500}).status_code == 400


def test_one_call_too_many_blocks_everything_for_five_minutes(cloudflare: Pretend) -> None:
    cloudflare.controls.patch("/switches", json={"requests_per_window": 3}).raise_for_status()
    for _ in range(3):
        result(cloudflare.api.get("/zones"))

    blocked = cloudflare.api.get("/zones")

    assert (refusal(blocked), blocked.headers["retry-after"]) == ((429, 971), "300")
    assert refusal(cloudflare.api.get("/user/tokens/verify")) == (429, 971)
    cloudflare.controls.post("/clock", json={"advanceSeconds": 299}).raise_for_status()
    assert 0 < int(cloudflare.api.get("/zones").headers["retry-after"]) <= 2
    cloudflare.controls.post("/clock", json={"advanceSeconds": 2}).raise_for_status()
    assert result(cloudflare.api.get("/zones")) == []
