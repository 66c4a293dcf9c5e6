"""The deploy workflow hands the account to the running service, not only to its own job, and checks that it arrived."""

from pathlib import Path

import pytest

from tests.servers import a_world
from tests.walkthroughs.deploy_workflow import GIVEN, run, steps


def test_a_deploy_without_the_account_stops_and_says_so(tmp_path: Path) -> None:
    stopped = run("Write the service's environment", tmp_path, **{**GIVEN, "CLOUDFLARE_ACCOUNT_ID": ""})

    assert stopped.returncode == 1
    assert "CLOUDFLARE_ACCOUNT_ID is not set" in stopped.stderr


@pytest.mark.parametrize(("account", "exit_code"), [("0123456789abcdef0123456789abcdef", 0), ("", 1)])
def test_the_running_service_is_asked_whether_the_account_arrived(tmp_path: Path, account: str, exit_code: int) -> None:
    with a_world(tmp_path) as world, world.product(CLOUDFLARE_ACCOUNT_ID=account) as product:
        checked = run("Check that the account arrived", tmp_path, PUBLIC_ORIGIN=product.url)

    assert checked.returncode == exit_code, checked.stderr
    assert ("did not reach the running service" in checked.stderr) is bool(exit_code)


def test_no_secret_is_written_into_the_workflow() -> None:
    for step in steps().values():
        for name, value in step.get("env", {}).items():
            is_secret = any(word in name for word in ("SECRET", "TOKEN", "KEY", "ACCOUNT"))
            assert not is_secret or str(value).startswith("${{ secrets."), name
