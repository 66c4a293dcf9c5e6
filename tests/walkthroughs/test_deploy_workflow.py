"""The deploy workflow hands the account to the running service, not only to its own job, and checks that it arrived."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers import a_world

WORKFLOW = Path(__file__).parents[2] / ".github" / "workflows" / "deploy.yml"
GIVEN = {
    "APP_ENV": "production",
    "SESSION_SECRET": "a-session-secret-for-tests",
    "INBOUND_SECRET": "an-inbound-secret-of-enough-characters",
    "EMAIL_ROUTING_MANAGEMENT_ENABLED": "true",
    "CLOUDFLARE_RUNTIME_API_TOKEN": "a-token",
    "CLOUDFLARE_ACCOUNT_ID": "0123456789abcdef0123456789abcdef",
    "EMAIL_WORKER_NAME": "kaisoumail-inbound",
    "BOOTSTRAP_ADMIN_EMAIL": "root@people.example",
    "BOOTSTRAP_ADMIN_API_KEY": "cfm_an-admin-key-0123456789",
}


def steps() -> dict[str, dict[str, Any]]:
    jobs = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
    return {step["name"]: step for step in jobs["deploy"]["steps"] if "name" in step}


def run(step: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """How a step ended on a machine that has bash and Python, and no other program."""
    programs = folder / "programs"
    programs.mkdir()
    for name, program in (("bash", shutil.which("bash")), ("python3", sys.executable)):
        (programs / name).symlink_to(str(program))
    words = ["bash", "-c", steps()[step]["run"]]
    path = {"PATH": str(programs)}
    return subprocess.run(words, cwd=folder, env=path | environment, capture_output=True, text=True, check=False)


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
