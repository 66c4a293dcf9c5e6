"""During a rolling restart two releases share a database: each goes on with the runs that it knows."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.forked import Forked
from tests.workflows.stories import process


def _said(told_by: Forked) -> str:
    return told_by.stdout.readline().strip()


def _start(release: Forked, key: str) -> None:
    assert release.stdin is not None
    release.stdin.write(key + "\n")
    release.stdin.flush()
    assert _said(release) == "started"


def test_the_new_release_goes_on_with_the_runs_of_the_old_one_and_the_old_one_leaves_the_new_ones_alone(
    postgres_url: str, tmp_path: Path
) -> None:
    release = partial(process, "two_releases", postgres_url, tmp_path)
    with ExitStack() as stack:
        old = stack.enter_context(release("old", "1"))
        new = stack.enter_context(release("new", "2"))
        assert [_said(old), _said(new)] == ["ready", "ready"]
        _start(old, "of the old")
        _start(new, "of the new")
        _start(old, "of the new")  # joins a run that it does not know itself

        new.kill()
        new.wait()
        _start(old, "of the old, later")
        newer = stack.enter_context(release("newer", "2"))
        assert _said(newer) == "ready"
        old.kill()
        old.wait()
        for key in ("of the old", "of the new", "of the old, later"):
            _start(newer, key)
        printed, _ = newer.communicate(timeout=60)

    ended = ["of the old ended by release 2", "of the new ended by release 2", "of the old, later ended by release 2"]
    assert printed == f"{ended}\n"
    steps = (tmp_path / "steps").read_text().splitlines()
    assert sorted(steps) == sorted(["of the old", "of the new", "of the old, later", *ended])
