"""One `serve` or `demo` on an embedded database; a second one is told who the first is."""

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from kaisoumail.errors import Problem
from kaisoumail.storage.data_folder import data_folder
from kaisoumail.storage.process_lock import sole_process
from tests.forked import Forked
from tests.servers import Process, command, start

ENVIRONMENT = {"SESSION_SECRET": "a-session-secret-for-tests", "PORT": "0", "SMTP_PORT": "0"}
DEMO = ["demo", "--port", "0", "--smtp-port", "0", "--cloudflare-port", "0", "--cloudflare-smtp-port", "0"]


def _words(name: str, folder: Path) -> list[str]:
    return ["serve"] if name == "serve" else [*DEMO, "--data-dir", str(folder)]


def _started(stack: ExitStack, name: str, folder: Path, **environment: str) -> Process:
    process = start(*_words(name, folder), **{**ENVIRONMENT, "DATA_DIR": str(folder), **environment})
    stack.callback(process.close)
    return process


def _refused(name: str, folder: Path, **environment: str) -> str:
    """The one line that the command said."""
    told = command(*_words(name, folder), **{**ENVIRONMENT, "DATA_DIR": str(folder), **environment})
    assert (told.returncode, len(told.stderr.splitlines())) == (1, 1), told.stdout + told.stderr
    return told.stderr


@pytest.mark.parametrize(("first", "second"), [("serve", "serve"), ("serve", "demo"), ("demo", "serve")])
def test_a_second_process_is_refused_in_one_line_that_names_the_first(tmp_path: Path, first: str, second: str) -> None:
    with ExitStack() as stack:
        running = _started(stack, first, tmp_path)

        line = _refused(second, tmp_path)

        assert f"`kaisoumail {first}`, process {running.popen.pid}, since 20" in line


def test_it_is_refused_too_that_shares_only_one_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "one" / "kaisoumail.db")
    with ExitStack() as stack:
        _started(stack, "serve", tmp_path / "one")

        by_link = _refused("serve", tmp_path / "two", DATABASE_URL=f"sqlite:///{tmp_path / 'link.db'}")
        by_runs = _refused("serve", tmp_path / "one", DATABASE_URL=f"sqlite:///{tmp_path / 'other.db'}")

        assert str(tmp_path / "one" / "kaisoumail.db") in by_link
        assert str(tmp_path / "one" / "workflows.db") in by_runs


def test_one_off_commands_work_beside_a_running_server(tmp_path: Path) -> None:
    with ExitStack() as stack:
        _started(stack, "serve", tmp_path)

        for words in (["doctor"], ["database", "migrate"], ["users", "add", "ada@people.example", "--name", "Ada"]):
            told = command(*words, **ENVIRONMENT, DATA_DIR=str(tmp_path))
            assert told.returncode == 0, told.stdout + told.stderr


def test_the_lock_ends_with_a_process_that_was_killed(tmp_path: Path) -> None:
    with ExitStack() as stack:
        _started(stack, "serve", tmp_path).kill()

        assert _started(stack, "serve", tmp_path).url


def test_of_several_that_start_at_once_one_serves_and_the_others_name_it(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", "DATA_DIR": str(tmp_path)}
    with ExitStack() as stack:
        started = [
            stack.enter_context(Forked("kaisoumail", "serve", environment=environment, keeps_stderr=True))
            for _ in range(4)
        ]
        first_lines = [process.stdout.readline() for process in started]
        [winner] = [process for process, line in zip(started, first_lines, strict=True) if line]
        complaints = [process.communicate(timeout=60)[1] for process in started if process is not winner]
        winner.kill()

    assert all(f"process {winner.pid}, " in line and line.count("\n") == 1 for line in complaints), complaints


@pytest.mark.parametrize(("said", "told"), [("", "by another process;"), (f"{2**30} serve\n", f"process {2**30}, ")])
def test_a_process_that_did_not_say_who_it_is_yet_still_has_the_lock(tmp_path: Path, said: str, told: str) -> None:
    lock = tmp_path / "kaisoumail.db.lock"
    lock.write_text(said)
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        with pytest.raises(Problem, match=told), sole_process(data_folder(str(tmp_path)), "serve"):
            pass
