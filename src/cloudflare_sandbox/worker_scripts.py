"""
Workers scripts: uploading one, its settings, the list, its source, deleting it.

Fields and 10007 as recorded by flare-operator (2026-09-29); the form as Cloudflare's page "Multipart upload
metadata" and SDK 5.9.0 describe it. Nothing here runs a script: one that is uploaded with the bindings of
KaisouMail's Email Worker is registered as that Worker, see `register`.
"""

import hashlib
import re
import secrets
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Final

import msgspec

from cloudflare_sandbox.answers import UNKNOWN_CODE, Answer, HttpAnswer, Refusal
from cloudflare_sandbox.sandbox import Call
from cloudflare_sandbox.state import Script, State, Worker, new_id, timestamp

FORM: Final = "multipart/form-data"
# Page "Scripts": at most 63 letters, digits, underscores and hyphens; Wrangler requires lower case.
_NAME: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_HANDLERS: Final = re.compile(rb"^\s*(?:async\s+)?(email|fetch|queue|scheduled|tail)\s*\(", re.MULTILINE)
Binding = dict[str, Any]


class _Metadata(msgspec.Struct):
    main_module: str
    compatibility_date: str = ""
    compatibility_flags: list[str] = []
    bindings: list[Binding] = []
    keep_bindings: list[str] = []


def upload(call: Call) -> Answer:
    """A new script, or a new version of one: `tag` and `created_on` stay, the rest is replaced (recorded)."""
    name = call.parts["script_name"]
    if not _NAME.fullmatch(name):
        raise Refusal(400, UNKNOWN_CODE, "The name of this Worker is not valid")
    parts = _parts(call.content_type, call.body)
    metadata = _metadata(parts)
    if metadata.main_module not in parts:
        raise _unfit(f'No such module "{metadata.main_module}".')
    old, now, source = call.state.scripts.get(name), timestamp(call.now()), parts[metadata.main_module]
    call.state.scripts[name] = script = Script(
        tag=old.tag if old else new_id(),
        created_on=old.created_on if old else now,
        modified_on=now,
        # What the real one is a digest of is unknown; it changes with the content (recorded).
        etag=hashlib.sha256(parts["metadata"] + source).hexdigest(),
        main_module=metadata.main_module,
        source=source,
        compatibility_date=metadata.compatibility_date,
        compatibility_flags=metadata.compatibility_flags,
        bindings=_bindings(metadata, old),
    )
    register(call.state, name, script)
    more = {"entry_point": script.main_module, "deployment_id": new_id(), "startup_time_ms": 1}
    return Answer({**_shown(name, script), **more})


def list_scripts(call: Call) -> Answer:
    """All scripts in one page, without counts (recorded)."""
    rows = call.state.scripts.items()
    return Answer([{**_shown(name, script), "deployment_id": "", "routes": None} for name, script in rows])


def settings(call: Call) -> Answer:
    """Bindings as uploaded (recorded), without the texts of secrets (SDK 5.9.0)."""
    script = _script(call)
    return Answer(
        {
            "placement": {},
            "compatibility_date": script.compatibility_date,
            "compatibility_flags": script.compatibility_flags,
            "usage_model": "standard",
            "tags": [],
            "tail_consumers": [],
            "logpush": False,
            "annotations": {"workers/triggered_by": "upload"},
            "bindings": [_without_secret(binding) for binding in script.bindings],
        }
    )


def source(call: Call) -> HttpAnswer:
    """The source itself, not JSON: for modules a form of them, the main one named in a header (Wrangler)."""
    script = _script(call)
    boundary = secrets.token_hex(32)
    name = script.main_module.replace('"', "%22")
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
    kind = "Content-Type: application/javascript+module\r\n\r\n"
    body = f"{head}{kind}".encode() + script.source + f"\r\n--{boundary}--\r\n".encode()
    return HttpAnswer(200, body, f"{FORM}; boundary={boundary}", [("cf-entrypoint", name)])


def delete_script(call: Call) -> Answer:
    """Answers its tag (recorded). From now on a message for it counts as one whose Worker throws."""
    script = _script(call)
    del call.state.scripts[call.parts["script_name"]]
    call.state.workers.pop(call.parts["script_name"], None)
    return Answer({"id": script.tag})


def register(state: State, name: str, script: Script) -> None:
    """Register the Worker by the URL and the secret in the script's bindings; without both nothing changes."""
    values = {str(binding.get("name")): binding.get("text") for binding in script.bindings}
    url, secret = values.get("KAISOUMAIL_URL"), values.get("INBOUND_SECRET")
    if isinstance(url, str) and isinstance(secret, str):
        state.workers[name] = Worker(f"{url.rstrip('/')}/api/inbound", secret)


def _script(call: Call) -> Script:
    script = call.state.scripts.get(call.parts["script_name"])
    if script is None:
        raise Refusal(404, 10007, "This Worker does not exist on your account.")
    return script


def _parts(content_type: str, body: bytes) -> dict[str, bytes]:
    """The parts of a form, by name and by file name: the docs use the one, SDK 5.9.0 the other."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    form = BytesParser(policy=HTTP).parsebytes(head + body)
    if form.get_content_type() != FORM or not form.is_multipart():
        raise _unfit("Expected a multipart/form-data request body.")
    parts: dict[str, bytes] = {}
    for part in form.iter_parts():
        content = part.get_payload(decode=True)
        names = (part.get_param("name", header="content-disposition"), part.get_filename())
        parts.update({name: content for name in names if isinstance(name, str) and isinstance(content, bytes)})
    return parts


def _metadata(parts: dict[str, bytes]) -> _Metadata:
    try:
        return msgspec.json.decode(parts["metadata"], type=_Metadata)
    except KeyError:
        raise _unfit("Missing metadata part.") from None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _unfit(f"Malformed metadata: {error}") from error


def _bindings(metadata: _Metadata, old: Script | None) -> list[Binding]:
    """Those sent, and the old ones whose type is in `keep_bindings` (page "Multipart upload metadata")."""
    sent = {binding.get("name") for binding in metadata.bindings}
    before = old.bindings if old else []
    old_bindings = [row for row in before if row.get("type") in metadata.keep_bindings and row.get("name") not in sent]
    return metadata.bindings + old_bindings


def _unfit(message: str) -> Refusal:
    """10021 is documented for a script that cannot be used; for a malformed form it is inferred."""
    return Refusal(400, 10021, message)


def _without_secret(binding: Binding) -> Binding:
    is_secret = binding.get("type") == "secret_text"
    return {key: value for key, value in binding.items() if not (is_secret and key == "text")}


def _shown(name: str, script: Script) -> dict[str, Any]:
    return {
        "created_on": script.created_on,
        "modified_on": script.modified_on,
        "id": name,
        "tag": script.tag,
        "tags": None,
        "tail_consumers": None,
        "logpush": False,
        "has_assets": False,
        "has_modules": True,
        "etag": script.etag,
        "handlers": sorted({found.decode() for found in _HANDLERS.findall(script.source)}),
        "last_deployed_from": "api",
        "compatibility_date": script.compatibility_date,
        "usage_model": "standard",
    }
