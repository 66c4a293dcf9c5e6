"""
The results of steps and runs as plain JSON, independent of how our code is arranged.

    step     {"v": 1, "name": …, "shape": …, "calls": […], "value": …}   or "error" instead of "value"
    outcome  {"v": 1, "value": …}   or "error"

A value is {"of": …}, a Problem that a step returned {"problem": …}. Errors are stored by their names in `ERROR_NAMES`:
a class may be renamed, its name there must not change.
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
    "foreign_rule": cloudflare.ForeignRule,
    "zone_full": cloudflare.ZoneFull,
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
    """A run was ended by a bug or by an unreadable result; the log has a line with its id."""


class UnreadableResult(Exception):
    """A stored value has a form that neither this release nor an earlier one wrote."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """
    The result of one step: its *stored* value or its *error*, and the *calls* to Cloudflare it made.

    *shape* is the version of the value's form; `value` decodes it.
    """

    name: str
    stored: Any = None
    calls: tuple[Answer, ...] = ()
    error: Exception | None = None
    shape: int = 1

    @classmethod
    def of(cls, name: str, value: Any, calls: tuple[Answer, ...] = (), shape: int = 1) -> "StepResult":
        """The result of a step that returned *value*, perhaps a Problem. Raises TypeError for what JSON cannot hold."""
        return cls(name, _stored(value), calls, shape=shape)

    def value(self, kind: Any) -> Any:
        """The value, a *kind* or a Problem. Raises UnreadableResult when it is something else."""
        return _value(self.stored, kind)

    def as_json(self) -> dict[str, Any]:
        """This result as plain JSON, in the form that `step_result` reads."""
        result = {"value": self.stored} if self.error is None else {"error": _stored_error(self.error)}
        calls = [asdict(call) for call in self.calls]
        return {"v": VERSION, "name": self.name, "shape": self.shape, "calls": calls, **result}


def step_result(stored: Any) -> StepResult:
    """The step result in *stored*, which `StepResult.as_json` wrote. Raises UnreadableResult."""
    try:
        _refuse_other_versions(stored)
        calls = tuple(msgspec.convert(call, Answer) for call in stored["calls"])
        error = _error(stored["error"]) if "error" in stored else None
        return StepResult(stored["name"], stored.get("value"), calls, error, stored["shape"])
    except (LookupError, TypeError, AttributeError, msgspec.ValidationError) as unreadable:
        raise UnreadableResult(str(unreadable)) from unreadable


def outcome_of(value: Any = None, error: Exception | None = None) -> dict[str, Any]:
    """A run's outcome as it is stored."""
    return {"v": VERSION, "value": _stored(value)} if error is None else {"v": VERSION, "error": _stored_error(error)}


def has_failed(outcome: dict[str, Any]) -> bool:
    """Whether a bug or an unreadable result ended the run."""
    return "error" in outcome and outcome["error"]["kind"] == "failed"


def outcome_value(outcome: dict[str, Any]) -> Any:
    """The value in *outcome*, as plain JSON. Raises the error that is in it instead, or RunFailed."""
    try:
        _refuse_other_versions(outcome)
        if "error" not in outcome:
            return _value(outcome["value"], Any)
        error = _error(outcome["error"])
    except (LookupError, TypeError, UnreadableResult, msgspec.ValidationError) as unreadable:
        raise RunFailed(f"The outcome cannot be read: {unreadable}") from unreadable
    raise error


def outcome_error(outcome: dict[str, Any] | None) -> Exception | None:
    """The error in *outcome*; None for a value and while there is no outcome."""
    if outcome is None:
        return None
    try:
        outcome_value(outcome)
    except Exception as error:  # noqa: BLE001 - it is the result
        return error
    return None


def returned_kind(function: Callable[..., Any]) -> Any:
    """The annotated return type of *function*; Any without an annotation."""
    return get_type_hints(function).get("return", Any)


def _stored(value: Any) -> dict[str, Any]:
    return {"problem": _problem_json(value)} if isinstance(value, Problem) else {"of": msgspec.to_builtins(value)}


def _value(stored: Any, kind: Any) -> Any:
    try:
        if "problem" in stored:
            return _problem(stored["problem"])
        return msgspec.convert(stored["of"], _without_problem(kind))
    except (LookupError, TypeError, msgspec.ValidationError) as error:
        raise UnreadableResult(str(error)) from error


def _without_problem(kind: Any) -> Any:
    if get_origin(kind) not in (Union, UnionType):
        return kind
    return reduce(or_, (member for member in get_args(kind) if member is not Problem))


def _stored_error(error: Exception) -> dict[str, Any]:
    if isinstance(error, Problem):
        return {"kind": "problem", **_problem_json(error)}
    if isinstance(error, CloudflareError):
        fields = {"kind": _NAME_OF[type(error)], "answer": asdict(error.answer)}
        return fields | ({"after": error.retry_after, "cause": error.cause} if isinstance(error, RateLimited) else {})
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
    # Details that are not JSON become strings: they must not prevent the run from ending.
    details = msgspec.to_builtins(problem.details, enc_hook=str)
    return {"code": problem.code, "message": problem.message, "details": details}


def _problem(stored: dict[str, Any]) -> Problem:
    return Problem(stored["code"], stored["message"], **stored["details"])


def _refuse_other_versions(stored: Any) -> None:
    if not isinstance(stored, dict) or stored.get("v") != VERSION:
        raise UnreadableResult(f"this is no version {VERSION}")
