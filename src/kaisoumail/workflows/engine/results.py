"""
What steps and runs came to, as plain JSON: what is stored says nothing of how our code is arranged.

    step     {"v": 1, "name": …, "shape": …, "calls": […], "value": …}   or "error" instead of "value"
    outcome  {"v": 1, "value": …}   or "error"

A value is told apart from a refusal that a step returned: {"of": …} and {"problem": …}. Errors are named by
`ERROR_NAMES`, which is promised to whatever is stored: a class may be renamed, its name here may not.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import reduce
from operator import or_
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from kaisoumail.cloudflare import errors as cloudflare
from kaisoumail.cloudflare.errors import Answer, CloudflareError, RateLimited
from kaisoumail.errors import Problem

VERSION: Final = 1
ERROR_NAMES: Final[dict[str, type[CloudflareError]]] = {
    "timeout": cloudflare.Timeout,
    "connection_lost": cloudflare.ConnectionLost,
    "not_reached": cloudflare.CloudflareUnreachable,
    "refused": cloudflare.AccessRefused,
    "bad_token": cloudflare.BadToken,
    "missing_permission": cloudflare.MissingPermission,
    "rate_limited": cloudflare.RateLimited,
    "rejected": cloudflare.RequestRejected,
    "already_exists": cloudflare.AlreadyExists,
    "not_found": cloudflare.NotFound,
    "zone_not_active": cloudflare.ZoneNotActive,
    "foreign_mx": cloudflare.ForeignMx,
    "quota_reached": cloudflare.QuotaReached,
    "too_soon": cloudflare.TryLater,
    "duplicate_rule": cloudflare.DuplicateRule,
    "not_an_apex": cloudflare.NotAnApex,
    "zone_not_accepted": cloudflare.ZoneNotAccepted,
    "invalid_record": cloudflare.InvalidRecord,
    "managed_record": cloudflare.ManagedRecord,
    "broken": cloudflare.CloudflareFault,
    "unreadable": cloudflare.UnreadableAnswer,
    "cloudflare": CloudflareError,
}
_NAME_OF: Final = {kind: name for name, kind in ERROR_NAMES.items()}


class RunFailed(Exception):
    """A run ended by a bug, or was set aside; the log has a line with its id."""


class UnreadableResult(Exception):
    """What is stored is not what this release, or any before it, wrote."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """
    A step that was taken: the *stored* value, or the *error* it ended with, and the *calls* to Cloudflare it made.

    *shape* is the version of the value's form; `value` reads it.
    """

    name: str
    stored: Any = None
    calls: tuple[Answer, ...] = ()
    error: Exception | None = None
    shape: int = 1

    @classmethod
    def of(cls, name: str, value: Any, calls: tuple[Answer, ...] = (), shape: int = 1) -> "StepResult":
        return cls(name, _stored(value), calls, shape=shape)

    def value(self, kind: Any) -> Any:
        """The value, a *kind* or a Problem. Raises UnreadableResult when it is something else."""
        return _value(self.stored, kind)

    def as_json(self) -> dict[str, Any]:
        came_to = {"value": self.stored} if self.error is None else {"error": _stored_error(self.error)}
        calls = [asdict(call) for call in self.calls]
        return {"v": VERSION, "name": self.name, "shape": self.shape, "calls": calls, **came_to}


def step_result(stored: Any) -> StepResult:
    """The step that `StepResult.as_json` gave *stored*. Raises UnreadableResult."""
    try:
        _refuse_other_versions(stored)
        calls = tuple(msgspec.convert(call, Answer) for call in stored["calls"])
        error = _error(stored["error"]) if "error" in stored else None
        return StepResult(stored["name"], stored.get("value"), calls, error, stored["shape"])
    except (LookupError, TypeError, AttributeError, msgspec.ValidationError) as trouble:
        raise UnreadableResult(str(trouble)) from trouble


def outcome_of(value: Any = None, error: Exception | None = None) -> dict[str, Any]:
    """A run's outcome as it is stored."""
    return {"v": VERSION, "value": _stored(value)} if error is None else {"v": VERSION, "error": _stored_error(error)}


def has_failed(outcome: dict[str, Any]) -> bool:
    """Whether a fault of ours, or a result that cannot be read, is what the run ended with."""
    return "error" in outcome and outcome["error"]["kind"] == "failed"


def outcome_value(outcome: dict[str, Any]) -> Any:
    """The plain value that an *outcome* holds. Raises the error that it holds instead, or RunFailed."""
    try:
        _refuse_other_versions(outcome)
        if "error" not in outcome:
            return _value(outcome["value"], Any)
        error = _error(outcome["error"])
    except (LookupError, TypeError, UnreadableResult, msgspec.ValidationError) as trouble:
        raise RunFailed(f"The outcome cannot be read: {trouble}") from trouble
    raise error


def outcome_error(outcome: dict[str, Any] | None) -> Exception | None:
    """The error that an *outcome* holds; None for a value, and while there is no outcome."""
    if outcome is None:
        return None
    try:
        outcome_value(outcome)
    except Exception as error:  # noqa: BLE001 - it is what is asked for
        return error
    return None


def returned_kind(function: Callable[..., Any]) -> Any:
    """What *function* says it returns."""
    return get_type_hints(function).get("return", Any)


def _stored(value: Any) -> dict[str, Any]:
    return {"problem": _problem_json(value)} if isinstance(value, Problem) else {"of": msgspec.to_builtins(value)}


def _value(stored: Any, kind: Any) -> Any:
    try:
        if "problem" in stored:
            return _problem(stored["problem"])
        return msgspec.convert(stored["of"], _without_problem(kind))
    except (LookupError, TypeError, msgspec.ValidationError) as trouble:
        raise UnreadableResult(str(trouble)) from trouble


def _without_problem(kind: Any) -> Any:
    if get_origin(kind) not in (Union, UnionType):
        return kind
    return reduce(or_, (one for one in get_args(kind) if one is not Problem))


def _stored_error(error: Exception) -> dict[str, Any]:
    if isinstance(error, Problem):
        return {"kind": "problem", **_problem_json(error)}
    if isinstance(error, CloudflareError):
        told = {"kind": _NAME_OF[type(error)], "answer": asdict(error.answer)}
        return told | ({"after": error.retry_after, "cause": error.cause} if isinstance(error, RateLimited) else {})
    return {"kind": "failed", "told": f"{type(error).__name__}: {error}"}


def _error(stored: dict[str, Any]) -> Exception:
    if stored["kind"] == "problem":
        return _problem(stored)
    if stored["kind"] == "failed":
        return RunFailed(stored["told"])
    answer = msgspec.convert(stored["answer"], Answer)
    if stored["kind"] == "rate_limited":
        return RateLimited(answer, stored["after"], stored["cause"])
    return ERROR_NAMES[stored["kind"]](answer)


def _problem_json(problem: Problem) -> dict[str, Any]:
    details = msgspec.to_builtins(problem.details, enc_hook=str)  # what is no JSON must not keep the run from its end
    return {"code": problem.code, "message": problem.message, "details": details}


def _problem(stored: dict[str, Any]) -> Problem:
    return Problem(stored["code"], stored["message"], **stored["details"])


def _refuse_other_versions(stored: Any) -> None:
    if not isinstance(stored, dict) or stored.get("v") != VERSION:
        raise UnreadableResult(f"this is no version {VERSION}")
