"""The README's first minute: `kaisoumail demo`, the printed key, the two printed commands, the second start."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api_client import ApiClient
from tests.ports import reserved_port
from tests.servers import Process, start


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Process]:
    process = _demo(tmp_path)
    yield process
    process.close()


def _demo(folder: Path, port: int = 0) -> Process:
    ports = ["--port", str(port), "--smtp-port", "0", "--cloudflare-port", "0", "--cloudflare-smtp-port", "0"]
    return start("demo", *ports, "--data-dir", str(folder))


def _key(process: Process) -> str:
    [line] = [line for line in process.lines if "admin API key" in line]
    return line.split()[-1]


def _codes(process: Process) -> list[str]:
    with ApiClient(process.url, _key(process)) as admin:
        listed = admin.get("/api/messages").json()["messages"]
    return [message["verification"]["code"] for message in listed]


def _printed(process: Process, word: str) -> str:
    [line] = [line.strip() for line in process.lines if line.strip().startswith(word)]
    return line


def test_a_newcomer_finds_a_domain_a_mailbox_and_a_mail_with_its_code(demo: Process) -> None:
    with ApiClient(demo.url, _key(demo)) as admin:
        assert admin.get("/api/meta").json()["domains"] == ["demo.example"]
        [mailbox] = admin.get("/api/mailboxes").json()["mailboxes"]
        [domain] = admin.get("/api/domains/catalog").json()["domains"]

    assert mailbox["address"] == "hello@mail.demo.example"
    assert domain["projectStatus"] == domain["cloudflareStatus"] == "active"
    assert _codes(demo) == ["482913"]


def test_each_address_is_printed_on_a_line_of_its_own(demo: Process) -> None:
    labels = ["pages and API", "the same, with passkeys", "SMTP listener", "pretend Cloudflare's API",
              "pretend Cloudflare's mail", "admin API key", "domain "]  # fmt: skip

    for label in labels:
        [line] = [line.strip() for line in demo.lines if label in line]
        assert line.startswith(label.strip()), line


def test_the_printed_python_command_sends_a_mail_as_it_stands(demo: Process) -> None:
    subprocess.run(["/bin/sh", "-c", _printed(demo, "python3 -c 'import smtplib")], check=True, timeout=60)

    assert _codes(demo) == ["731964", "482913"]


def test_the_printed_command_that_reads_the_code_needs_nothing_but_python(demo: Process) -> None:
    command = _printed(demo, "python3 -c 'from urllib")

    answer = subprocess.run(["/bin/sh", "-c", command], check=True, timeout=60, capture_output=True, text=True)

    assert [message["verification"]["code"] for message in json.loads(answer.stdout)["messages"]] == ["482913"]


def test_the_printed_swaks_command_names_the_same_door_and_address(demo: Process) -> None:
    words = shlex.split(_printed(demo, "swaks"))

    assert words[0] == "swaks"
    assert words[words.index("--to") + 1] == "hello@mail.demo.example"
    port = re.search(r"pretend Cloudflare's mail +127\.0\.0\.1:(\d+)", "\n".join(demo.lines))
    assert port is not None
    assert words[words.index("--server") + 1] == f"127.0.0.1:{port.group(1)}"


def test_a_second_start_finds_everything_as_it_was(tmp_path: Path) -> None:
    first = _demo(tmp_path)
    try:
        key = _key(first)
        assert first.stop() == 0
    finally:
        first.close()

    second = _demo(tmp_path)
    try:
        assert _key(second) == key
        assert _codes(second) == ["482913"]
        subprocess.run(["/bin/sh", "-c", _printed(second, "python3 -c 'import smtplib")], check=True, timeout=60)
        assert _codes(second) == ["731964", "482913"]
    finally:
        second.close()


@pytest.mark.parametrize("is_bound", [True, False], ids=["before its mailbox", "before its domain was delegated"])
def test_a_start_after_one_that_was_stopped_makes_what_is_missing(tmp_path: Path, is_bound: bool) -> None:
    first = _demo(tmp_path)
    try:
        with ApiClient(first.url, _key(first)) as admin:
            [mailbox] = admin.get("/api/mailboxes").json()["mailboxes"]
            assert admin.delete(f"/api/mailboxes/{mailbox['id']}").json()["status"] == "destroyed"
            if not is_bound:
                [domain] = admin.get("/api/domains").json()["domains"]
                assert admin.post(f"/api/domains/{domain['id']}/delete").status_code == 204
                bound = admin.post("/api/domains/bind", json={"mailDomain": "demo.example"})
                assert bound.json()["status"] == "provisioning_error"
        assert first.stop() == 0
    finally:
        first.close()

    second = _demo(tmp_path)
    try:
        assert _codes(second) == ["482913"]
    finally:
        second.close()


def test_passkeys_work_at_the_address_that_is_printed_for_them(tmp_path: Path) -> None:
    process = _demo(tmp_path, reserved_port())
    try:
        address = _printed(process, "the same, with passkeys").split()[-1]
        with ApiClient(process.url) as nobody:
            meta = nobody.get("/api/meta").json()
            asked = nobody.post("/api/auth/passkey/options", headers={"origin": address})
    finally:
        process.close()

    assert address == process.url.replace("127.0.0.1", "localhost")
    assert (meta["passkeyAuthEnabled"], meta["passkeyTrustedOrigins"]) == (True, [address])
    assert asked.json()["rpId"] == "localhost"
