"""Every pull request runs what CI runs here, on the machine that README.md asks for; a deploy needs it."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


def _workflow(name: str) -> dict[Any, Any]:
    read: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))
    return read


def test_every_pull_request_runs_ci_in_a_container_of_the_promised_distribution() -> None:
    ci = _workflow("ci.yml")
    [job] = ci["jobs"].values()

    assert "pull_request" in ci[True]  # YAML 1.1 reads `on` as true
    assert job["container"] == "debian:12"
    assert job["steps"][-1] == {"run": ".ci/run"}


def test_the_container_gets_every_package_that_set_up_needs() -> None:
    [job] = _workflow("ci.yml")["jobs"].values()
    installed = set(job["steps"][0]["run"].split())
    rows = [line.split("|") for line in (ROOT / "programs.txt").read_text().splitlines() if not line.startswith("#")]
    needed = {row[1].strip() for row in rows if row[0].strip().startswith("setup")}

    assert needed - installed == set()


def test_a_deploy_needs_ci_to_pass() -> None:
    jobs = _workflow("deploy.yml")["jobs"]

    assert jobs["test"]["uses"] == "./.github/workflows/ci.yml"
    assert jobs["deploy"]["needs"] == "test"
