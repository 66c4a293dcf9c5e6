"""
Workers scripts: `/accounts/:id/workers/scripts`.

Reference: developers.cloudflare.com/api, Workers, and its page "Multipart upload metadata" (September 2026).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from msgspec import Struct

from kaisoumail.cloudflare.client import Cloudflare, Form, FormPart
from kaisoumail.cloudflare.envelope import UNUSED
from kaisoumail.cloudflare.errors import NotFound


class _Binding(Struct):
    name: str
    text: str | None = None


class _Settings(Struct):
    bindings: list[_Binding] | None


@dataclass(frozen=True, slots=True)
class Script:
    """A script to upload: one module, *variables* that can be read back and *secrets* that cannot."""

    module: str
    source: bytes
    compatibility_date: str
    variables: Mapping[str, str]
    secrets: Mapping[str, str]


async def find_variables(cloudflare: Cloudflare, account_id: str, name: str) -> dict[str, str | None] | None:
    """The bindings of the Worker *name*, secrets with the value None; None when there is no such Worker."""
    path = f"{_path(account_id, name)}/settings"
    try:
        settings = await cloudflare.call("GET", path, _Settings)
    except NotFound:
        return None
    return {binding.name: binding.text for binding in settings.bindings or ()}


async def upload(cloudflare: Cloudflare, account_id: str, name: str, script: Script) -> None:
    """Create or replace the Worker *name*; idempotent."""
    metadata = {
        "main_module": script.module,
        "compatibility_date": script.compatibility_date,
        "bindings": [
            *({"type": "plain_text", "name": key, "text": text} for key, text in script.variables.items()),
            *({"type": "secret_text", "name": key, "text": text} for key, text in script.secrets.items()),
        ],
    }
    parts: dict[str, FormPart] = {
        "metadata": (None, json.dumps(metadata).encode(), "application/json"),
        script.module: (script.module, script.source, "application/javascript+module"),
    }
    await cloudflare.call("PUT", _path(account_id, name), UNUSED, body=Form(parts))


def _path(account_id: str, name: str) -> str:
    return f"/accounts/{quote(account_id, safe='')}/workers/scripts/{quote(name, safe='')}"
