"""`email-worker deploy`, and what `doctor` says of the Worker."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers import INBOUND_SECRET, PERMISSIONS, WORKER, World, a_world, command

URL = "https://mail.example.com"
SCRIPTS = "Workers Scripts Write"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with a_world(tmp_path_factory.mktemp("world")) as opened:
        yield opened


@pytest.fixture
def world(started: World) -> World:
    """A pretend Cloudflare as new, and a token that may do everything, Workers too."""
    started.controls.post("/_sandbox/reset").raise_for_status()
    started.environment["CLOUDFLARE_API_TOKEN"] = _token(started, [*PERMISSIONS, SCRIPTS])
    return started


def _token(world: World, permissions: list[str]) -> str:
    wanted = {"kind": "user", "permissions": permissions, "zones": "all"}
    return str(world.controls.post("/_sandbox/tokens", json=wanted).raise_for_status().json()["token"])


def _deploy(world: World, *words: str, url: str = URL, **changes: str) -> Any:
    return command("email-worker", "deploy", "--url", url, *words, **{**world.environment, **changes})


def _refusal(told: Any) -> str:
    """The one line of a command that was refused."""
    [line] = told.stderr.splitlines()
    assert (told.returncode, told.stdout) == (1, "")
    return str(line)


def test_it_is_deployed_and_deploying_again_is_an_update(world: World) -> None:
    first, second = _deploy(world), _deploy(world, url=f"{URL}:8443/")

    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.splitlines()[:2] == [
        f"the Worker {WORKER} is deployed (new)",
        f"it hands messages over to {URL}/api/inbound, signed with INBOUND_SECRET",
    ]
    assert second.stdout.splitlines()[0] == f"the Worker {WORKER} is deployed (updated)"
    assert world.controls.get("/_sandbox/state").json()["workers"] == {WORKER: f"{URL}:8443/api/inbound"}
    assert INBOUND_SECRET not in first.stdout + first.stderr


def test_a_token_without_the_permission_hears_its_name_in_the_form(world: World) -> None:
    told = _deploy(world, CLOUDFLARE_API_TOKEN=_token(world, PERMISSIONS))

    assert "“Account: Workers Scripts: Edit”" in _refusal(told)


def test_reading_is_not_enough(world: World) -> None:
    told = _deploy(world, CLOUDFLARE_API_TOKEN=_token(world, ["Workers Scripts Read"]))

    assert "“Account: Workers Scripts: Edit”" in _refusal(told)


def test_the_token_shared_with_other_things_deploys_and_the_services_own_need_not(world: World) -> None:
    told = _deploy(world, CLOUDFLARE_RUNTIME_API_TOKEN=_token(world, PERMISSIONS))

    assert told.returncode == 0


def test_everything_that_is_not_set_is_named_at_once(world: World) -> None:
    names = ["CLOUDFLARE_ACCOUNT_ID", "EMAIL_WORKER_NAME", "INBOUND_SECRET", "CLOUDFLARE_API_TOKEN"]

    told = _deploy(world, **dict.fromkeys(names, ""))

    assert _refusal(told) == f"kaisoumail: Not set: {', '.join(names)}"


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example.com",
        "mail.example.com",
        "https://",
        "https://mail.example.com/kaisoumail",
        "https://mail.example.com?a=b",
        "https://ada:pass@mail.example.com",
        "https://mail.example.com:port",
        "http://127.0.0.1.example.com",
        "",
    ],
)
def test_an_address_that_mail_cannot_be_handed_to_safely_is_refused_before_anything_is_called(
    world: World, url: str
) -> None:
    told = _deploy(world, url=url)

    assert "--url" in _refusal(told)
    assert world.requests() == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"status": 400, "code": 10021, "message": "Uncaught SyntaxError\n  at worker.mjs:1"}, "10021"),
        ({"status": 429, "retryAfter": 7}, "429"),
        ({"status": 502}, "502"),
        ({"drop": "after"}, "no answer"),
    ],
)
def test_whatever_cloudflare_answers_is_one_line(world: World, fault: dict[str, Any], said: str) -> None:
    match = {"method": "PUT", "path": "/accounts/*/workers/scripts/*"}
    world.controls.post("/_sandbox/faults", json={"match": match, **fault}).raise_for_status()

    assert said in _refusal(_deploy(world))
    assert _deploy(world).returncode == 0


def test_a_worker_of_that_name_that_is_another_stays_unless_told_otherwise(world: World) -> None:
    assert _deploy(world).returncode == 0
    path = f"{world.api_url}/accounts/{world.account_id}/workers/scripts/{WORKER}"
    headers = {"authorization": f"Bearer {world.environment['CLOUDFLARE_API_TOKEN']}"}
    form = {"metadata": (None, b'{"main_module":"a.js"}'), "a.js": ("a.js", b"export default {}")}
    world.controls.put(path, headers=headers, files=form).raise_for_status()

    refused, replaced = _deploy(world), _deploy(world, "--replace")

    assert "--replace" in _refusal(refused)
    assert replaced.returncode == 0


@pytest.mark.parametrize(
    ("permissions", "is_deployed", "line", "code"),
    [
        ([*PERMISSIONS, SCRIPTS], True, f"ok  Email Worker: {WORKER} is there and hands messages over to {URL}", 0),
        ([*PERMISSIONS, SCRIPTS], False, "BAD Email Worker: no Worker is named", 1),
        (PERMISSIONS, True, "?   Email Worker: looking at it takes “Account: Workers Scripts: Edit”", 0),
    ],
)
def test_doctor_says_whether_the_worker_is_there(
    world: World, permissions: list[str], is_deployed: bool, line: str, code: int
) -> None:
    if is_deployed:
        assert _deploy(world).returncode == 0

    told = command("doctor", **{**world.environment, "CLOUDFLARE_API_TOKEN": _token(world, permissions)})

    assert told.stdout.splitlines()[-1].startswith(line)
    assert told.returncode == code
