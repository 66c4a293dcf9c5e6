"""
The sandbox's own controls, `/_sandbox/…`: what a registrar, a user of the dashboard or a failure would do.

They need no token, and no path of Cloudflare begins like them. Errors are `{"error": text}`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import msgspec

from cloudflare_sandbox import tokens, zones
from cloudflare_sandbox.answers import HttpAnswer
from cloudflare_sandbox.destinations import find_destination
from cloudflare_sandbox.faults import Fault
from cloudflare_sandbox.sandbox import Sandbox
from cloudflare_sandbox.state import ACCOUNT_ID, ACCOUNT_NAME, Worker, timestamp
from cloudflare_sandbox.switches import Switches, described

PREFIX: Final = "/_sandbox/"


class _ControlError(Exception):
    """A control cannot be used so: HTTP status and sentence."""


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    permissions: list[str]
    kind: str = "user"
    zones: str | list[str] = "all"


class TokenToRevoke(msgspec.Struct, forbid_unknown_fields=True):
    token: str


class Models(msgspec.Struct, forbid_unknown_fields=True):
    response: Any = None
    used_up: bool = False


class Advance(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    advance_seconds: float


_T = TypeVar("_T")
Control = Callable[[Sandbox, str, bytes], Any]


def answer(sandbox: Sandbox, method: str, path: str, body: bytes) -> HttpAnswer:
    """The answer of a control; its effect is on disk before this returns."""
    try:
        control, name = _control_for(method, path.removeprefix(PREFIX))
        result = control(sandbox, name, body)
    except _ControlError as error:
        status, sentence = error.args
        return _json(status, {"error": sentence})
    if method != "GET":
        sandbox.save()
    return _json(200, result)


def _mint_token(sandbox: Sandbox, _name: str, body: bytes) -> Any:
    form = _decoded(body, NewToken)
    try:
        return {"token": tokens.mint(sandbox.state, form.kind, form.permissions, form.zones)}
    except ValueError as error:
        raise _ControlError(400, str(error)) from error


def _revoke_token(sandbox: Sandbox, _name: str, body: bytes) -> Any:
    """As in the dashboard: the token is unknown from now on."""
    token = tokens.find(sandbox.state, _decoded(body, TokenToRevoke).token)
    if token is None:
        raise _ControlError(404, "no such token")
    sandbox.state.tokens.remove(token)
    return {}


def _delegate(sandbox: Sandbox, name: str, _body: bytes) -> Any:
    zone = sandbox.state.find_zone_named(name.lower())
    if zone is None:
        raise _ControlError(404, f"no zone {name}")
    zones.delegate(zone, timestamp(sandbox.now()))
    return {"id": zone.id, "name": zone.name, "status": zone.status}


def _verify_destination(sandbox: Sandbox, email: str, _body: bytes) -> Any:
    """The owner of *email* clicked the link in Cloudflare's message."""
    destination = find_destination(sandbox.state, email)
    if destination is None:
        raise _ControlError(404, f"no destination address {email}")
    destination.verified = destination.modified = timestamp(sandbox.now())
    return {"email": destination.email, "verified": destination.verified}


def _put_worker(sandbox: Sandbox, script: str, body: bytes) -> Any:
    worker = _decoded(body, Worker)
    sandbox.state.workers[script] = worker
    return {"script": script, "target": worker.target}


def _delete_worker(sandbox: Sandbox, script: str, _body: bytes) -> Any:
    if sandbox.state.workers.pop(script, None) is None:
        raise _ControlError(404, f"no Worker {script}")
    return {}


def _add_fault(sandbox: Sandbox, _name: str, body: bytes) -> Any:
    sandbox.faults.add(_decoded(body, Fault))
    return _list_faults(sandbox, "", b"")


def _list_faults(sandbox: Sandbox, _name: str, _body: bytes) -> Any:
    return {"faults": sandbox.faults.listed()}


def _forget_faults(sandbox: Sandbox, _name: str, _body: bytes) -> Any:
    sandbox.faults.clear()
    return {}


def _requests(sandbox: Sandbox, _name: str, _body: bytes) -> Any:
    return {"requests": list(sandbox.received)}


def _reset(sandbox: Sandbox, _name: str, _body: bytes) -> Any:
    sandbox.reset()
    return {}


def _account(_sandbox: Sandbox, _name: str, _body: bytes) -> Any:
    return {"id": ACCOUNT_ID, "name": ACCOUNT_NAME}


def _switches(sandbox: Sandbox, _name: str, _body: bytes) -> Any:
    """Each switch with its current value, default, meaning and source."""
    return described(sandbox.state.switches)


def _set_switches(sandbox: Sandbox, _name: str, body: bytes) -> Any:
    """Change the switches that are sent; the others stay."""
    values = _decoded(body, dict[str, Any])
    current = msgspec.to_builtins(sandbox.state.switches)
    unknown = values.keys() - current.keys()
    if unknown:
        raise _ControlError(
            400, f"no such switch: {', '.join(sorted(unknown))}; there are {', '.join(sorted(current))}"
        )
    try:
        sandbox.state.switches = msgspec.convert({**current, **values}, Switches)
    except msgspec.ValidationError as error:
        raise _ControlError(400, str(error)) from error
    return described(sandbox.state.switches)


def _ai(sandbox: Sandbox, _name: str, _body: bytes) -> Any:
    """The answer of every model, and the last 100 runs."""
    return sandbox.state.ai


def _set_ai(sandbox: Sandbox, _name: str, body: bytes) -> Any:
    """Set the answer of every model, or that the account has used up the allowance of the day."""
    form = _decoded(body, Models)
    sandbox.state.ai.response, sandbox.state.ai.is_used_up = form.response, form.used_up
    return sandbox.state.ai


def _advance_clock(sandbox: Sandbox, _name: str, body: bytes) -> Any:
    """Advance the clock of the API only; signatures have the real time."""
    sandbox.state.clock_ahead_seconds += _decoded(body, Advance).advance_seconds
    return {"now": timestamp(sandbox.now()), "real": timestamp(datetime.now(UTC))}


def _state(sandbox: Sandbox, _name: str, _body: bytes) -> Any:
    """A summary without secrets."""
    state = sandbox.state
    return {
        "zones": [
            {
                "id": zone.id,
                "name": zone.name,
                "status": zone.status,
                "emailRouting": zone.routing.enabled,
                "subdomains": [subdomain.name for subdomain in zone.routing.subdomains],
                "rules": [rule.literal() for rule in zone.routing.rules],
                "catchAll": zone.routing.catch_all.enabled,
                "records": len(zone.records),
            }
            for zone in state.zones
        ],
        "tokens": [{"id": token.id, "kind": token.kind, "permissions": token.permissions} for token in state.tokens],
        "workers": {script: worker.target for script, worker in state.workers.items()},
        "forwarded": state.forwarded,
    }


_CONTROLS: Final[dict[tuple[str, str], Control]] = {
    ("GET", "account"): _account,
    ("GET", "state"): _state,
    ("GET", "requests"): _requests,
    ("POST", "tokens"): _mint_token,
    ("POST", "tokens/revoke"): _revoke_token,
    ("POST", "zones/*/delegate"): _delegate,
    ("POST", "destinations/*/verify"): _verify_destination,
    ("PUT", "workers/*"): _put_worker,
    ("DELETE", "workers/*"): _delete_worker,
    ("GET", "faults"): _list_faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _forget_faults,
    ("GET", "switches"): _switches,
    ("PATCH", "switches"): _set_switches,
    ("GET", "ai"): _ai,
    ("PUT", "ai"): _set_ai,
    ("POST", "clock"): _advance_clock,
    ("POST", "reset"): _reset,
}


def _control_for(method: str, path: str) -> tuple[Control, str]:
    """The control, and the part of *path* in place of `*`."""
    parts = path.split("/")
    for (control_method, pattern), control in _CONTROLS.items():
        patterns = pattern.split("/")
        is_path = len(patterns) == len(parts) and all(p in ("*", part) for p, part in zip(patterns, parts, strict=True))
        if is_path and control_method == method:
            return control, parts[patterns.index("*")] if "*" in patterns else ""
    raise _ControlError(404, f"no control {method} {PREFIX}{path}")


def _decoded(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _ControlError(400, str(error)) from error


def _json(status: int, value: Any) -> HttpAnswer:
    return HttpAnswer(status, msgspec.json.encode(value), "application/json")
