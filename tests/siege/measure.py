"""One attack, measured: the ordinary clients before, during and after it, and what the server still holds."""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tests.siege.attacker import Attack, Tally, Target
from tests.siege.ordinary import Account, Latencies, Ordinary

ROOT: Final = Path(__file__).parents[2]
WORST_ANSWER: Final = 2.0  # seconds that an ordinary sender waits at most
MEMORY_LEFT: Final = 30 * 2**20
RECOVERY: Final = 60.0  # seconds
_AFTERWARDS: Final = 1.0  # seconds that ordinary clients go on after the attack: what it left is still being worked off


@dataclass(frozen=True)
class Held:
    """What the server's process and those it started hold: resident bytes, open descriptors."""

    memory: int
    descriptors: int


def held_by(pid: int) -> Held:
    """Raises FileNotFoundError when there is no such process."""
    processes = [pid, *_started_by(pid)]
    return Held(sum(_resident(each) for each in processes), sum(_descriptors(each) for each in processes))


def _started_by(pid: int) -> list[int]:
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*children, *(each for child in children for each in _started_by(child))]


def _resident(pid: int) -> int:
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * 4096


def _descriptors(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


@dataclass
class Result:
    """
    What one attack did to whom; *latencies* by ordinary client, times in seconds, *is_back* after *recovery*.

    *lost* are messages that were acknowledged and are not in the list exactly once.
    """

    name: str
    latencies: dict[str, Latencies]
    before: Held
    attack: Attack | None = None
    tally: Tally = field(default_factory=Tally)
    lost: list[str] = field(default_factory=list)
    most_memory: int = 0
    after: Held | None = None  # none: the server has ended
    recovery: float = 0.0

    @property
    def refused(self) -> int:
        return sum(sum(each.failures.values()) for each in self.latencies.values())

    @property
    def worst_sender(self) -> float:
        return max(self.latencies[kind].at(1) for kind in self.latencies if kind in ("smtp", "hand-over"))

    @property
    def is_back(self) -> bool:
        return self.after is not None and _is_back(self.before, self.after)

    def complaints(self, *, times: bool = True) -> list[str]:
        """What the server did not withstand, by the figures it is asked for; without *times* no figure in seconds."""
        said = [
            f"{kind}: {count} x {what}"
            for kind, each in self.latencies.items()
            for what, count in each.failures.items()
        ]
        if self.lost:
            said.append(f"{len(self.lost)} acknowledged and not listed once")
        if self.after is None:
            said.append("the server ended")
        elif self.after.descriptors > self.before.descriptors:
            said.append(f"{self.after.descriptors - self.before.descriptors} descriptors left")
        if times and self.after is not None and self.after.memory - self.before.memory > MEMORY_LEFT:
            said.append(f"{(self.after.memory - self.before.memory) >> 20} MB left")
        if times and self.worst_sender > WORST_ANSWER:
            said.append(f"a sender waited {self.worst_sender:.1f} s")
        return said


def _is_back(before: Held, now: Held) -> bool:
    return now.memory - before.memory <= MEMORY_LEFT and now.descriptors <= before.descriptors


class Attacker:
    """A running attack in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, attack: Attack, seconds: float) -> None:
        self._process = process
        self._attack = attack
        self._seconds = seconds

    @classmethod
    async def begun(cls, attack: Attack, target: Target, seconds: float) -> "Attacker":
        """The attack, when it has begun."""
        words = ["-m", "tests.siege.one_attack", attack.name, json.dumps(asdict(target)), str(seconds)]
        process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        assert await process.stdout.readline() == b"begun\n", f"the attack {attack.name!r} did not begin"
        return cls(process, attack, seconds)

    async def ended(self) -> Tally:
        """What it did, when its time is over; it is ended if it does not end by itself."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(self._seconds + 10):
                told = await self._process.stdout.read()
        finally:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
        assert told, f"the attack {self._attack.name!r} broke"
        return Tally(**json.loads(told))


async def _watched(pid: int, most: list[int]) -> None:
    """Put the most memory that was held into *most*, until cancelled or the process has ended."""
    while True:
        try:
            most[0] = max(most[0], held_by(pid).memory)
        except (FileNotFoundError, ProcessLookupError):
            return
        await asyncio.sleep(0.2)


async def _back_to(before: Held, pid: int) -> tuple[Held | None, float]:
    """What is held once it is no more than *before*, or after `RECOVERY`; and how long that took."""
    began = time.monotonic()
    while True:
        try:
            now = held_by(pid)
        except (FileNotFoundError, ProcessLookupError):
            return None, time.monotonic() - began
        if _is_back(before, now) or time.monotonic() - began > RECOVERY:
            return now, time.monotonic() - began
        await asyncio.sleep(0.2)


async def measured(
    pid: int, target: Target, account: Account, name: str, seconds: float, attack: Attack | None = None
) -> Result:
    """What the ordinary clients of *account* are answered during *attack*, or while nothing else happens."""
    before, most = held_by(pid), [0]
    ordinary, stopped = Ordinary(account, name), asyncio.Event()
    await ordinary.prepare()
    watching = asyncio.create_task(_watched(pid, most))
    clients = asyncio.create_task(ordinary.run(stopped))
    try:
        if attack is None:
            tally = Tally()
            await asyncio.sleep(seconds)
        else:
            attacker = await Attacker.begun(attack, target, seconds)
            tally = await attacker.ended()
            await asyncio.sleep(_AFTERWARDS)
    finally:
        stopped.set()
        await clients
        watching.cancel()
    after, recovery = await _back_to(before, pid)
    lost = await ordinary.not_listed_once() if after is not None else []
    return Result(
        name if attack is None else attack.name,
        ordinary.latencies,
        before,
        attack,
        tally,
        lost,
        most[0],
        after,
        recovery,
    )
