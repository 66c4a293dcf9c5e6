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


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_an_answer_of_failure_may_hide_that_it_happened(cloudflare: Pretend, status: int) -> None:
    body = {"name": "example.com", "account": {"id": cloudflare.account_id}}
    cloudflare.fault("POST", "/zones", status=status, takesEffect=True)

    assert cloudflare.api.post("/zones", json=body).status_code == status

    assert _names(cloudflare) == ["example.com"]
    assert refusal(cloudflare.api.post("/zones", json=body)) == (400, 1061)


@pytest.mark.parametrize("body", ["html", "text", "success_false_200", "not_json_200"])
def test_so_may_a_body_nobody_expects(cloudflare: Pretend, body: str) -> None:
    cloudflare.fault("POST", "/zones", body=body, takesEffect=True)

    cloudflare.api.post("/zones", json={"name": "example.com", "account": {"id": cloudflare.account_id}})

    assert _names(cloudflare) == ["example.com"]


def test_an_answer_may_come_late_for_something_that_happened_at_once(cloudflare: Pretend) -> None:
    body = {"name": "example.com", "account": {"id": cloudflare.account_id}}
    cloudflare.fault("POST", "/zones", delayMs=300, takesEffect=True)

    with pytest.raises(httpx.ReadTimeout):
        cloudflare.api.post("/zones", json=body, timeout=0.1)

    assert _names(cloudflare) == ["example.com"]


def test_a_rate_limit_may_keep_to_itself_how_long_it_lasts(cloudflare: Pretend) -> None:
    cloudflare.fault("GET", "/zones", status=429)

    limited = cloudflare.api.get("/zones")

    assert (refusal(limited), "retry-after" in limited.headers) == ((429, 971), False)


@pytest.mark.parametrize(
    ("fault", "status", "kind", "words"),
    [
        ({"body": "html"}, 502, "text/html; charset=UTF-8", "<h1>502 Bad Gateway</h1>"),
        ({"body": "html", "status": 504}, 504, "text/html; charset=UTF-8", "<h1>504 Gateway Timeout</h1>"),
        ({"body": "html", "status": 520}, 520, "text/html; charset=UTF-8", "error code: 520"),
        ({"body": "text"}, 500, "text/plain; charset=UTF-8", "Internal Server Error"),
        ({"body": "text", "status": 429, "message": "error code: 1015"}, 429, "text/plain; charset=UTF-8", "1015"),
        ({"status": 500}, 500, "application/json; charset=UTF-8", "An error(-502) has occurred"),
    ],
)
def test_servers_that_break_say_so_each_in_its_own_way(
    cloudflare: Pretend, fault: dict[str, object], status: int, kind: str, words: str
) -> None:
    cloudflare.fault("GET", "/zones", retryAfter=3, **fault)

    broken = cloudflare.api.get("/zones")

    assert (broken.status_code, broken.headers["content-type"], words in broken.text) == (status, kind, True)
    assert broken.headers["retry-after"] == "3"
    assert broken.headers["cf-ray"]


def test_a_fault_may_last_until_it_is_removed(cloudflare: Pretend) -> None:
    cloudflare.fault("GET", "/zones", status=503, times=-1)

    assert [cloudflare.api.get("/zones").status_code for _ in range(30)] == [503] * 30

    assert cloudflare.controls.get("/faults").json()["faults"][0]["times"] == -1
    cloudflare.controls.delete("/faults").raise_for_status()
    assert _names(cloudflare) == []


def test_a_fault_left_to_chance_strikes_the_same_calls_with_the_same_seed(cloudflare: Pretend) -> None:
    def statuses(seed: int) -> list[int]:
        cloudflare.controls.delete("/faults").raise_for_status()
        cloudflare.fault("GET", "/zones", status=500, times=-1, probability=0.3, seed=seed)
        return [cloudflare.api.get("/zones").status_code for _ in range(100)]

    first = statuses(1)

    assert (statuses(1), statuses(2) == first) == (first, False)
    assert 15 < first.count(500) < 45


def test_a_seed_nobody_gave_is_told_and_calls_that_are_spared_use_nothing_up(cloudflare: Pretend) -> None:
    cloudflare.fault("GET", "/zones", status=500, times=3, probability=0.5)

    (fault,) = cloudflare.controls.get("/faults").json()["faults"]
    statuses = [cloudflare.api.get("/zones").status_code for _ in range(60)]

    assert isinstance(fault["seed"], int)
    assert statuses.count(500) == 3


@pytest.mark.parametrize(
    "fault",
    [
        {"times": 0},
        {"times": -2},
        {"probability": 0},
        {"probability": 1.5},
        {"delayMs": -1},
        {"drop": "before", "takesEffect": True},
        {"trickleMs": -1},
        {"fillBytes": -2},
    ],
)
def test_a_fault_that_cannot_be_is_refused(cloudflare: Pretend, fault: dict[str, object]) -> None:
    answer = cloudflare.controls.post("/faults", json=fault)

    assert (answer.status_code, list(answer.json())) == (400, ["error"])


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


def test_an_answer_may_be_of_ones_own_making_and_repeat_the_token(cloudflare: Pretend) -> None:
    content = '{"success": true, "result": 7}'
    cloudflare.fault("GET", "/zones", content=content, headers={"location": "/elsewhere?{authorization}"})
    cloudflare.fault("GET", "/zones", status=400, code=1, message="Refused: {authorization}")

    odd, echoed = cloudflare.api.get("/zones"), cloudflare.api.get("/zones")

    carried = odd.request.headers["authorization"]
    assert (odd.status_code, odd.text, odd.headers["location"]) == (200, content, f"/elsewhere?{carried}")
    assert (echoed.status_code, echoed.json()["errors"][0]["message"]) == (400, f"Refused: {carried}")


def test_an_answer_may_come_byte_by_byte_and_after_much_else(cloudflare: Pretend) -> None:
    cloudflare.fault("GET", "/zones", trickleMs=1, fillBytes=3)
    cloudflare.fault("GET", "/zones", fillBytes=200_000)

    slow, large = cloudflare.api.get("/zones"), cloudflare.api.get("/zones")

    assert (slow.content[:4], result(slow)) == (b"   {", [])
    assert (len(large.content.rstrip()) - len(large.content.strip()), result(large)) == (200_000, [])


def test_an_answer_without_end_is_sent_until_nobody_reads_it(cloudflare: Pretend) -> None:
    cloudflare.fault("GET", "/zones", fillBytes=-1)

    with cloudflare.api.stream("GET", "/zones") as endless:
        pieces = endless.iter_raw()
        assert [next(pieces) for _ in range(3)]

    assert _names(cloudflare) == []
