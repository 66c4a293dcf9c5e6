"""The commands: help for each, one clear line for what is wrong, nothing half done."""

import asyncio
import os
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import msgspec
import pytest

from kaisoumail.settings.description import SECTIONS
from kaisoumail.settings.settings import DECLARATIONS
from kaisoumail.storage.engine.database import open_database
from kaisoumail.storage.tables import runs
from kaisoumail.workflows.engine.results import outcome_of
from tests.servers import ADMIN_KEY, command

ENOUGH = {"SESSION_SECRET": "a-session-secret-for-tests"}
COMMANDS = [
    ["demo"],
    ["serve"],
    ["sandbox"],
    ["doctor"],
    ["config", "show"],
    ["database", "migrate"],
    ["users", "add"],
    ["email-worker", "deploy"],
]


@pytest.mark.parametrize("words", [[], *COMMANDS], ids=" ".join)
def test_every_command_has_help(words: list[str]) -> None:
    told = command(*words, "--help")

    assert told.returncode == 0
    assert "--help" in told.stdout


@pytest.mark.parametrize(
    "words", [["nonsense"], ["demo", "--port", "many"], ["demo", "--port", "70000"], ["users", "add"], ["serve", "--x"]]
)
def test_wrong_usage_is_one_line_and_exit_2(words: list[str]) -> None:
    told = command(*words, **ENOUGH)

    assert told.returncode == 2
    assert len(told.stderr.splitlines()) == 1


def test_every_bad_variable_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "data"

    told = command("serve", PORT="many", SMTP_PORT="-1", DATA_DIR=str(folder))

    assert told.returncode == 1
    assert [line.split()[1] for line in told.stderr.splitlines()] == ["SESSION_SECRET", "PORT", "SMTP_PORT"]
    assert not folder.exists()


@pytest.mark.parametrize("variable", ["PORT", "SMTP_PORT"])
def test_a_busy_port_is_one_line(tmp_path: Path, variable: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ports = {"PORT": "0", "SMTP_PORT": "0", variable: port}

        told = command("serve", DATA_DIR=str(tmp_path), **ports, **ENOUGH)

    assert told.returncode == 1
    [line] = told.stderr.splitlines()
    assert port in line


def test_the_configuration_is_shown_whole_and_no_secret_of_it() -> None:
    told = command("config", "show", PORT="9000", DATABASE_URL="postgresql://ada:pass-word@db/mail", **ENOUGH)

    lines = dict(line.split("=", 1) for line in told.stdout.splitlines() if "=" in line)
    heads = [line for line in told.stdout.splitlines() if line.startswith("# ")]
    assert told.returncode == 0
    assert list(lines) == [each.variable.name for section in SECTIONS for each in section.declarations]
    assert heads == [f"# {section.title}: {section.purpose}" for section in SECTIONS]
    assert (lines["PORT"], lines["SMTP_PORT"]) == ("9000", "2525  (default)")
    assert (lines["SESSION_SECRET"], lines["INBOUND_SECRET"], lines["DATABASE_URL"]) == ("set", "  (default)", "set")
    assert ENOUGH["SESSION_SECRET"] not in told.stdout
    assert "pass-word" not in told.stdout


def test_a_variable_that_is_set_by_its_former_name_is_shown_by_the_present_one() -> None:
    told = command("config", "show", QUOTA_STORED_MEGABYTES_PER_USER="5", AUDIT_RETENTION_DAYS="30", **ENOUGH)

    lines = dict(line.split("=", 1) for line in told.stdout.splitlines() if "=" in line)
    assert lines["AUDIT_RETENTION_DAYS"] == "30"
    assert lines["QUOTA_STORED_PER_USER_BYTES"] == "5000000  (set by its former name QUOTA_STORED_MEGABYTES_PER_USER)"
    assert "QUOTA_STORED_MEGABYTES_PER_USER" not in lines


def test_a_former_name_is_one_line_of_the_log_at_the_start(tmp_path: Path) -> None:
    obstacle = tmp_path / "file"
    obstacle.write_text("not a folder")

    told = command("serve", AUDIT_KEPT_DAYS="30", DATA_DIR=str(obstacle / "data"), PORT="0", SMTP_PORT="0", **ENOUGH)

    logged, _refusal = told.stderr.splitlines()
    assert (
        msgspec.json.decode(logged).items()
        >= {
            "event": "settings.renamed",
            "former": "AUDIT_KEPT_DAYS",
            "present": "AUDIT_RETENTION_DAYS",
        }.items()
    )


def test_doctor_says_which_names_are_former_ones_and_which_are_misspelt(tmp_path: Path) -> None:
    told = command("doctor", MAIL_READER_PROCESSES="false", TRUSTED_PROXES="::1", DATA_DIR=str(tmp_path), **ENOUGH)

    [line] = [line for line in told.stdout.splitlines() if "configuration" in line]
    assert line == (
        "ok  configuration: every variable can be read; MAIL_READER_PROCESSES is now called READER_PROCESSES_ENABLED; "
        "TRUSTED_PROXES is no variable; is TRUSTED_PROXIES meant?"
    )


def test_every_variable_that_is_read_as_a_secret_is_shown_as_one() -> None:
    variables = [each.variable for each in DECLARATIONS]
    read_as_secrets = {
        each.name for each in variables if any(word in each.name for word in ("SECRET", "TOKEN", "API_KEY"))
    }

    assert read_as_secrets | {"DATABASE_URL"} == {each.name for each in variables if each.is_secret}


def test_too_few_open_files_are_one_line(tmp_path: Path) -> None:
    environment = {**os.environ, **ENOUGH, "DATA_DIR": str(tmp_path), "PORT": "0", "SMTP_PORT": "0"}

    told = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -n 60; exec "$0" -m kaisoumail serve', sys.executable],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 1
    [line] = told.stderr.splitlines()
    assert "60" in line


def test_a_busy_port_of_the_pretend_cloudflare_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        for words in (["sandbox", "--port", port], ["demo", "--cloudflare-port", port, "--data-dir", str(tmp_path)]):
            told = command(*words)
            assert told.returncode == 1
            [line] = told.stderr.splitlines()
            assert port in line


@pytest.mark.parametrize("words", [["serve"], ["database", "migrate"], ["doctor"]], ids=" ".join)
def test_a_data_folder_that_cannot_be_written_is_one_line(tmp_path: Path, words: list[str]) -> None:
    obstacle = tmp_path / "file"
    obstacle.write_text("not a folder")

    told = command(*words, DATA_DIR=str(obstacle / "data"), PORT="0", SMTP_PORT="0", **ENOUGH)

    assert told.returncode == 1
    [line] = told.stderr.splitlines()
    assert str(obstacle) in line


@pytest.mark.parametrize("words", [["serve"], ["database", "migrate"]], ids=" ".join)
def test_a_database_that_cannot_be_opened_is_one_line(tmp_path: Path, words: list[str]) -> None:
    url = "postgresql://nobody@127.0.0.1:1/nothing"

    told = command(*words, DATABASE_URL=url, DATA_DIR=str(tmp_path), PORT="0", SMTP_PORT="0", **ENOUGH)

    assert told.returncode == 1
    assert len(told.stderr.splitlines()) == 1


def test_migrating_twice_comes_to_the_same(tmp_path: Path) -> None:
    first = command("database", "migrate", DATA_DIR=str(tmp_path), **ENOUGH)
    second = command("database", "migrate", DATA_DIR=str(tmp_path), **ENOUGH)

    assert first.returncode == second.returncode == 0
    assert first.stdout == second.stdout


def test_a_user_is_added_once_and_their_key_shown(tmp_path: Path) -> None:
    words = ["users", "add", "ada@people.example", "--name", "Ada", "--role", "admin"]

    added = command(*words, DATA_DIR=str(tmp_path), **ENOUGH)
    again = command(*words, DATA_DIR=str(tmp_path), **ENOUGH)
    wrong = command("users", "add", "not-an-address", "--name", "Ada", DATA_DIR=str(tmp_path), **ENOUGH)

    assert added.returncode == 0
    assert added.stdout.splitlines()[-1].startswith("cfm_")
    assert (again.returncode, again.stderr) == (1, "kaisoumail: User already exists\n")
    assert wrong.returncode == 1


def test_doctor_says_one_line_for_each_thing(tmp_path: Path) -> None:
    well = command("doctor", DATA_DIR=str(tmp_path), **ENOUGH)
    ill = command(
        "doctor",
        DATA_DIR=str(tmp_path),
        EMAIL_ROUTING_MANAGEMENT_ENABLED="true",
        CLOUDFLARE_API_TOKEN="a-token",
        CLOUDFLARE_ACCOUNT_ID="an-account",
        EMAIL_WORKER_NAME="a-worker",
        CLOUDFLARE_API_BASE_URL="http://127.0.0.1:1/client/v4",
        **ENOUGH,
    )

    assert well.returncode == 0
    assert [line[:3] for line in well.stdout.splitlines()] == ["ok "] * 7
    assert ill.returncode == 1
    assert [line for line in ill.stdout.splitlines() if line.startswith("BAD Cloudflare")]


def _keep_runs(url: str) -> tuple[str, str]:
    """A run of a release to come, and one that a fault ended; their ids."""

    async def work() -> tuple[str, str]:
        database = open_database(url)
        begin = partial(runs.begin, arguments={}, version=1)
        try:
            foreign = await database.write(partial(begin, job="of tomorrow", key="a"))
            failed = await database.write(partial(begin, job="bind_domain", key="b"))
            outcome = outcome_of(error=ValueError("a fault"))
            await database.write(partial(runs.end, run_id=failed.run.id, outcome=outcome, has_failed=True))
        finally:
            await database.close()
        return foreign.run.id, failed.run.id

    return asyncio.run(work())


def test_doctor_names_the_runs_that_nobody_goes_on_with(tmp_path: Path) -> None:
    assert command("database", "migrate", DATA_DIR=str(tmp_path), **ENOUGH).returncode == 0
    url = f"sqlite:///{tmp_path / 'kaisoumail.db'}"
    foreign, failed = _keep_runs(url)

    told = command("doctor", DATA_DIR=str(tmp_path), **ENOUGH)

    [line] = [line for line in told.stdout.splitlines() if " runs: " in line]
    assert line == f"BAD runs: 1 open; this release does not know the jobs of {foreign}; ended by a fault: {failed}"
    assert told.returncode == 1


def test_no_output_ever_repeats_a_secret(tmp_path: Path) -> None:
    secrets = {"SESSION_SECRET": "short", "BOOTSTRAP_ADMIN_API_KEY": ADMIN_KEY, "CLOUDFLARE_API_TOKEN": "to ken"}

    told = command("serve", DATA_DIR=str(tmp_path), **secrets)

    assert told.returncode == 1
    assert not any(secret in told.stdout + told.stderr for secret in secrets.values())
    assert list(tmp_path.iterdir()) == []
