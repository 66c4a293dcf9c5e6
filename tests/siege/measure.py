"""One attack, measured: the ordinary clients before, during and after it, and what the server still holds."""

import asyncio
import json
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tests.siege.attacker import Attack, Tally, Target
from tests.siege.ordinary import Account, Latencies, Ordinary

ROOT: Final = Path(__file__).parents[2]
WORST_ANSWER: Final = 2.0  # seconds that an ordinary sender waits at most
MEMORY_LEFT: Final = 30 * 2**20
RECOVERY: Final = 60.0  # seconds
POOL: Final = 8  # descriptors that the database's connections may take more than before
_LISTENING: Final = "0A"
_AFTERWARDS: Final = 0.2  # of the attack's time ordinary clients go on: what it left is still being worked off


@dataclass(frozen=True)
class Held:
    """
    What a server holds: resident bytes with those of the processes it started, its own open descriptors, and how many
    connections there are that strangers may open.
    """

    memory: int
    descriptors: int
    connections: int

    def is_within(self, before: "Held") -> bool:
        """Whether there is hardly more than *before*; the database's own connections come and go, some at a time."""
        return (
            self.memory - before.memory <= MEMORY_LEFT
            and self.descriptors - before.descriptors <= POOL
            and self.connections <= before.connections
        )


@dataclass(frozen=True)
class Process:
    """A server by its process and the ports that it listens on."""

    pid: int
    ports: tuple[int, ...]

    def held(self) -> Held:
        """Raises FileNotFoundError or ProcessLookupError when it has ended."""
        memory = _resident(self.pid)
        if not memory:
            raise ProcessLookupError(self.pid)  # it has ended, and nobody has asked how
        for pid in _started_by(self.pid):
            with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile, and holds nothing
                memory += _resident(pid)
        descriptors = sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())
        return Held(memory, descriptors, _connections(self.ports))


def _started_by(pid: int) -> list[int]:
    started = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    for child in tuple(started):
        with suppress(FileNotFoundError, ProcessLookupError):
            started += _started_by(child)
    return started


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def _connections(ports: tuple[int, ...]) -> int:
    """Connections to *ports* that a process holds: not those that only the kernel still knows of."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    local = [(int(row[1].rpartition(":")[2], 16), row[3], row[9]) for row in rows]
    return sum(1 for port, state, inode in local if port in ports and state != _LISTENING and inode != "0")


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
        return self.after is not None and self.after.is_within(self.before)

    def complaints(self, *, times: bool = True) -> list[str]:
        """What the server did not withstand, by the figures it is asked for; without *times* no figure in seconds."""
        said = [
            f"{kind}: {count} x {what}"
            for kind, each in self.latencies.items()
            for what, count in each.failures.items()
        ]
        if self.attack is not None and not self.tally.opened:
            said.append("the attack did nothing")
        if self.lost:
            said.append(f"{len(self.lost)} acknowledged and not listed once")
        if self.after is None:
            said.append("the server ended")
        elif self.after.connections > self.before.connections:
            said.append(f"{self.after.connections - self.before.connections} connections left")
        elif self.after.descriptors - self.before.descriptors > POOL:
            said.append(f"{self.after.descriptors - self.before.descriptors} descriptors left")
        if times and self.after is not None and self.after.memory - self.before.memory > MEMORY_LEFT:
            said.append(f"{(self.after.memory - self.before.memory) >> 20} MB left")
        if times and self.worst_sender > WORST_ANSWER:
            said.append(f"a sender waited {self.worst_sender:.1f} s")
        return said


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
        """What it did, when its time is over. Raises TimeoutError if it does not end by itself, and ends it."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(self._seconds + 10):
                told = await self._process.stdout.read()
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            raise
        assert told, f"the attack {self._attack.name!r} broke"
        return Tally(**json.loads(told))


async def _watched(server: Process, most: list[int]) -> None:
    """Put the most memory that was held into *most*, until cancelled or the process has ended."""
    while True:
        try:
            most[0] = max(most[0], server.held().memory)
        except (FileNotFoundError, ProcessLookupError):
            return
        await asyncio.sleep(0.2)


async def _back_to(before: Held, server: Process, patience: float) -> tuple[Held | None, float]:
    """What is held once it is no more than *before*, or after so many seconds; and how long that took."""
    began = time.monotonic()
    while True:
        try:
            now = server.held()
        except (FileNotFoundError, ProcessLookupError):
            return None, time.monotonic() - began
        if now.is_within(before) or time.monotonic() - began > patience:
            return now, time.monotonic() - began
        await asyncio.sleep(0.2)


async def measured(
    server: Process,
    target: Target,
    account: Account,
    name: str,
    seconds: float,
    attack: Attack | None = None,
    recovery: float = RECOVERY,
) -> Result:
    """What the ordinary clients of *account* are answered during *attack*, or while nothing else happens."""
    before, most = server.held(), [0]
    ordinary, stopped = Ordinary(account, name), asyncio.Event()
    await ordinary.prepare()
    watching = asyncio.create_task(_watched(server, most))
    clients = asyncio.create_task(ordinary.run(stopped))
    try:
        if attack is None:
            tally = Tally()
            await asyncio.sleep(seconds)
        else:
            attacker = await Attacker.begun(attack, target, seconds)
            tally = await attacker.ended()
            await asyncio.sleep(_AFTERWARDS * seconds)
    finally:
        stopped.set()
        await clients
        watching.cancel()
    after, took = await _back_to(before, server, recovery)
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
        took,
    )
