"""The columns of the matrix: every fault, at every point that a job passes when nothing disturbs it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.matrix.trouble import ONCE, UNTIL_RESTART, Trouble, What

REVOKED: Final = "the token is withdrawn before"


@dataclass(frozen=True)
class Fault:
    """What goes wrong: *trouble* in the server, or what its *kind* alone says."""

    kind: str
    trouble: Trouble | None = None

    @property
    def point(self) -> str:
        return self.trouble.point if self.trouble else ""

    @property
    def kills(self) -> bool:
        return self.trouble is not None and self.trouble.what in ("kill before", "kill after")

    @property
    def lasts_until_restart(self) -> bool:
        return self.trouble is not None and self.trouble.seconds == UNTIL_RESTART


# Who asks is remembered for a moment; who waits for a run looks again every half second: passed or not, as it comes.
_UNSURE: Final = re.compile(r" operations\.sign_in\.|^read runs\.find#(?!1$)")
UNDISTURBED: Final = Fault("undisturbed")
TWO_AT_ONCE: Final = Fault("two ask at once")
COOLING_DOWN: Final = Fault("the cooldown runs already")

_AT_WRITES: Final[dict[str, tuple[What, float]]] = {
    "our database refuses to write once": ("refuse", ONCE),
    "our database refuses to write for 5 s": ("refuse", 5.0),
    "our database refuses to write until restart": ("refuse", UNTIL_RESTART),
    "our database's answer is lost": ("lose the answer", ONCE),
    "the disk is full for 3 s": ("disk full", 3.0),
    "killed before our commit": ("kill before", ONCE),
    "killed after our commit": ("kill after", ONCE),
}
_AT_READS: Final[dict[str, tuple[What, float]]] = {
    "our database refuses to read once": ("refuse", ONCE),
    "our database refuses to read for 5 s": ("refuse", 5.0),
    "our database refuses to read until restart": ("refuse", UNTIL_RESTART),
}
_AT_STARTS: Final[dict[str, tuple[What, float]]] = {"killed before the run's start": ("kill before", ONCE)}
_AT_STEPS: Final[dict[str, tuple[What, float]]] = {
    "the step runs twice": ("run twice", ONCE),
    "killed before the engine's commit": ("kill before", ONCE),
    "killed after the engine's commit": ("kill after", ONCE),
    "the engine's database refuses": ("refuse to keep", ONCE),
}
_AT_CALLS: Final[dict[str, dict[str, Any]]] = {
    "429 with Retry-After": {"status": 429, "code": 971, "retryAfter": 1},
    "429 without Retry-After": {"status": 429, "code": 971},
    "500": {"status": 500, "code": 1052},
    "500 three times": {"status": 500, "code": 1052, "times": 3},
    "500 until somebody was answered": {"status": 500, "code": 1052, "times": -1},
    "HTML": {"status": 502, "body": "html"},
    "answer lost before the effect": {"drop": "before"},
    "answer lost after the effect": {"drop": "after"},
    "answer lost after the effect, three times": {"drop": "after", "times": 3},
    "answered too late": {"delayMs": 2500, "takesEffect": True},
}

_ALONE: Final = (COOLING_DOWN.kind, TWO_AT_ONCE.kind, REVOKED)
KINDS: Final = (*_ALONE, *_AT_WRITES, *_AT_READS, *_AT_STARTS, *_AT_STEPS, *_AT_CALLS)


def faults(points: Sequence[str], refusal: tuple[str, str] | None = None) -> list[Fault]:
    """Every fault of a job that passes *points* undisturbed; a call that is refused anyway has no other trouble."""
    refused = " ".join(("call", *refusal)) if refusal else None
    sure = [point for point in points if not _UNSURE.search(point) and point.rpartition("#")[0] != refused]
    return [COOLING_DOWN, TWO_AT_ONCE, *(fault for point in sure for fault in _faults_at(point))]


def _faults_at(point: str) -> Iterator[Fault]:
    where = point.partition(" ")[0].partition("#")[0]
    tables = {"write": _AT_WRITES, "read": _AT_READS, "start": _AT_STARTS, "step": _AT_STEPS}
    for kind, (what, seconds) in tables.get(where, {}).items():
        yield Fault(kind, Trouble(what, point, seconds))
    if where == "call":
        for kind, answer in _AT_CALLS.items():
            fault = {"match": _match(point), "times": 1, **answer}
            yield Fault(kind, Trouble("answer badly", point, answer=fault))
        yield Fault(REVOKED, Trouble("withdraw the token", point))


def _match(point: str) -> dict[str, str]:
    """The calls of this kind: `*` of a point stands for an id, that of a fault for anything."""
    _, method, path = point.rpartition("#")[0].split(" ", 2)
    return {"method": method, "path": path.replace("*", "?" * 32)}


def few_of(every: Sequence[Fault], number: int, share: int) -> list[Fault]:
    """One fault of every *share*-th kind, beginning with the *number*-th, each at another point if there is one."""
    chosen = []
    for at, kind in enumerate(KINDS[number::share]):
        fitting = [fault for fault in every if fault.kind == kind]
        chosen += fitting[(number + at) % max(1, len(fitting)) :][:1]
    return chosen
