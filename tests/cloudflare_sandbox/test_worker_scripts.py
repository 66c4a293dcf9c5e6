"""Workers scripts: uploaded, looked at, deleted, and what the mail port makes of them."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cloudflare import Cloudflare

from tests.cloudflare_sandbox.pretend import Pretend, refusal, result, rule_for
from tests.cloudflare_sandbox.worker_target import SECRET, worker_target

SOURCE = b"export default {\n  async email(message, env) {\n    // \xc3\xbc\r\n  },\n};\n"
TEXT = {"type": "plain_text", "name": "GREETING", "text": "hello"}


@pytest.fixture
def scripts(cloudflare: Pretend) -> Iterator[httpx.Client]:
    """A client at the account's scripts that may write them."""
    headers = {"authorization": f"Bearer {cloudflare.token(['Workers Scripts Write'])}"}
    base_url = f"{cloudflare.api_url}/accounts/{cloudflare.account_id}/workers"
    with httpx.Client(base_url=base_url, headers=headers) as client:
        yield client


def _upload(scripts: httpx.Client, name: str = "inbound", source: bytes = SOURCE, **metadata: Any) -> httpx.Response:
    told = {"main_module": "worker.mjs", "compatibility_date": "2026-11-01", **metadata}
    files = {
        "metadata": (None, json.dumps(told).encode(), "application/json"),
        "worker.mjs": ("worker.mjs", source, "application/javascript+module"),
    }
    return scripts.put(f"/scripts/{name}", files=files)


def test_an_upload_answers_the_recorded_fields(scripts: httpx.Client) -> None:
    uploaded = result(_upload(scripts))

    assert set(uploaded) == set(
        "created_on modified_on id tag tags tail_consumers logpush has_assets has_modules etag handlers "
        "last_deployed_from compatibility_date usage_model entry_point deployment_id startup_time_ms".split()
    )
    assert (uploaded["id"], uploaded["handlers"], uploaded["entry_point"]) == ("inbound", ["email"], "worker.mjs")


def test_a_second_upload_keeps_the_tag_and_replaces_all_else(scripts: httpx.Client) -> None:
    first = result(_upload(scripts, bindings=[TEXT]))
    second = result(_upload(scripts, source=SOURCE + b"//", bindings=[]))

    assert (second["tag"], second["created_on"]) == (first["tag"], first["created_on"])
    assert second["etag"] != first["etag"]
    assert result(scripts.get("/scripts/inbound/settings"))["bindings"] == []
    assert [row["id"] for row in result(scripts.get("/scripts"))] == ["inbound"]


def test_settings_tell_bindings_but_no_secret(scripts: httpx.Client, cloudflare: Pretend) -> None:
    secret = {"type": "secret_text", "name": "INBOUND_SECRET", "text": SECRET}
    _upload(scripts, bindings=[TEXT, secret])

    told = scripts.get("/scripts/inbound/settings")

    assert result(told)["bindings"] == [TEXT, {"type": "secret_text", "name": "INBOUND_SECRET"}]
    everything = told.text + cloudflare.controls.get("/requests").text + cloudflare.controls.get("/state").text
    assert SECRET not in everything


def test_kept_bindings_stay_unless_they_are_sent_anew(scripts: httpx.Client) -> None:
    _upload(scripts, bindings=[TEXT, {"type": "secret_text", "name": "A", "text": "1"}])

    _upload(scripts, bindings=[{**TEXT, "text": "bye"}], keep_bindings=["secret_text", "plain_text"])

    assert result(scripts.get("/scripts/inbound/settings"))["bindings"] == [
        {**TEXT, "text": "bye"},
        {"type": "secret_text", "name": "A"},
    ]


def test_the_source_comes_back_byte_for_byte(scripts: httpx.Client) -> None:
    _upload(scripts)

    answer = scripts.get("/scripts/inbound")

    assert answer.headers["cf-entrypoint"] == "worker.mjs"
    assert SOURCE in answer.content


def test_what_is_deleted_or_was_never_there_is_10007(scripts: httpx.Client) -> None:
    uploaded = result(_upload(scripts))

    assert result(scripts.delete("/scripts/inbound", params={"force": "true"})) == {"id": uploaded["tag"]}
    for answer in (
        scripts.get("/scripts/inbound/settings"),
        scripts.get("/scripts/inbound"),
        scripts.delete("/scripts/inbound"),
    ):
        assert refusal(answer) == (404, 10007)
        assert answer.json()["errors"][0]["message"] == "This Worker does not exist on your account."


def _part(name: str, content: str) -> str:
    return f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{content}\r\n'


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        _part("metadata", "[]") + "--x--\r\n",
        _part("metadata", '{"main_module":"a.js"}') + "--x--\r\n",
        _part("a.js", "") + "--x--\r\n",
        _part("metadata", '{"main_module":7}') + _part("a.js", ""),
        "\0" * 100,
    ],
)
def test_a_form_that_is_none_is_refused_and_nothing_is_kept(scripts: httpx.Client, content: str) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = scripts.put("/scripts/inbound", content=content.encode(), headers=headers)

    assert refusal(answer) == (400, 10021)
    assert result(scripts.get("/scripts")) == []


@pytest.mark.parametrize("name", ["Inbound", "-inbound", "in.bound", "a" * 64])
def test_a_name_that_cannot_be_is_refused(scripts: httpx.Client, name: str) -> None:
    assert _upload(scripts, name).status_code == 400


@pytest.mark.parametrize("permissions", [[], ["Zone Write"], ["Workers Scripts Read"]])
def test_writing_needs_the_permission_and_reading_less(cloudflare: Pretend, permissions: list[str]) -> None:
    path = f"/accounts/{cloudflare.account_id}/workers/scripts"
    with cloudflare.client(cloudflare.token(permissions)) as client:
        written, read = client.put(f"{path}/inbound", content=b""), client.get(path)

    assert refusal(written) == (403, 10000)
    assert read.status_code == (200 if "Workers Scripts Read" in permissions else 403)


def test_an_uploaded_email_worker_gets_the_mail_at_its_bindings(scripts: httpx.Client, cloudflare: Pretend) -> None:
    path = cloudflare.routing_zone()
    result(cloudflare.api.post(f"{path}/email/routing/rules", json=rule_for("bob@example.com")))
    with worker_target() as target:
        bindings = [
            {"type": "plain_text", "name": "KAISOUMAIL_URL", "text": target.url.removesuffix("/api/inbound")},
            {"type": "secret_text", "name": "INBOUND_SECRET", "text": SECRET},
        ]
        before = cloudflare.send("bob@example.com", b"Subject: early\r\n\r\nhi\r\n")
        _upload(scripts, bindings=bindings)
        with_worker = cloudflare.send("bob@example.com", b"Subject: hi\r\n\r\nhi\r\n")
        result(scripts.delete("/scripts/inbound"))
        after = cloudflare.send("bob@example.com", b"Subject: late\r\n\r\nhi\r\n")

    assert [code for code, _ in (before, with_worker, after)] == [421, 250, 421]
    assert [(sender, to) for sender, to, _ in target.arrived] == [("ada@sender.example", "bob@example.com")]


def test_the_sdk_uploads_lists_and_deletes(cloudflare: Pretend) -> None:
    """Not strictly: its types know no `"placement": {}`, which is what was recorded."""
    token, account_id = cloudflare.token(["Workers Scripts Write"]), cloudflare.account_id
    with Cloudflare(base_url=cloudflare.api_url, api_token=token, max_retries=0) as sdk:
        uploaded = sdk.workers.scripts.update(
            "inbound",
            account_id=account_id,
            metadata={"main_module": "worker.mjs", "bindings": [{"type": "plain_text", "name": "A", "text": "1"}]},
            files=[("worker.mjs", SOURCE, "application/javascript+module")],
        )
        [listed] = sdk.workers.scripts.list(account_id=account_id)
        settings = sdk.workers.scripts.script_and_version_settings.get("inbound", account_id=account_id)
        sdk.workers.scripts.delete("inbound", account_id=account_id)

        assert uploaded.id == listed.id == "inbound"
        assert [binding.name for binding in settings.bindings or []] == ["A"]
        assert list(sdk.workers.scripts.list(account_id=account_id)) == []
