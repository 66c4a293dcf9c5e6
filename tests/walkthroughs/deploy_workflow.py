"""The steps of the deploy workflow, run as its machine runs them."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

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
