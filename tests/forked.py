"""
Processes forked from one that has imported the product already.

Each is a process of its own, with its own environment and pipes, that SIGKILL ends; what it does not do is spend
two seconds of CPU on the imports that every other one has done. `tests/cli/test_commands.py` starts the real command.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from multiprocessing.reduction import DupFd
from typing import Any, Final

import kaisoumail.cli.main  # noqa: F401  what the forking process imports, once

_MODULES: Final = multiprocessing.get_context("forkserver")
_MODULES.set_forkserver_preload(["tests.forking_process"])


class Forked:
    """As much of `subprocess.Popen` as the tests use, for `python -m MODULE ARGUMENTS`, in text mode."""

    def __init__(
        self,
        module: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        is_told: bool = False,
        keeps_stderr: bool = False,
    ) -> None:
        theirs: list[int] = []
        self.stdin = _stream(theirs, for_writing=True) if is_told else None
        self.stdout = _stream(theirs)
        self.stderr = _stream(theirs) if keeps_stderr else None
        names = ["stdin"] * is_told + ["stdout"] + ["stderr"] * keeps_stderr
        pipes = {name: DupFd(number) for name, number in zip(names, theirs, strict=True)}
        wanted = dict(os.environ if environment is None else environment)
        self._process = _MODULES.Process(target=_run, args=(module, arguments, wanted, pipes), daemon=True)
        self._process.start()
        for number in theirs:
            os.close(number)
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; the negative number of the signal that ended it. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(str(self._process.name), timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it still says on both streams until it ends."""
        if self.stdin is not None:
            self.stdin.close()
        said = self.stdout.read()
        complained = self.stderr.read() if self.stderr is not None else ""
        self.wait(timeout)
        return said, complained

    def __enter__(self) -> "Forked":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it if it has not ended, and let go of its pipes."""
        self.kill()
        self.wait()
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                stream.close()


def _stream(theirs: list[int], *, for_writing: bool = False) -> TextIOWrapper:
    """Our end of a new pipe; the other end is added to *theirs*."""
    reading, writing = os.pipe()
    theirs.append(reading if for_writing else writing)
    ours = os.fdopen(writing if for_writing else reading, "w" if for_writing else "r", encoding="utf-8")
    assert isinstance(ours, TextIOWrapper)
    return ours


def _run(module: str, arguments: tuple[str, ...], environment: dict[str, str], pipes: dict[str, Any]) -> None:
    """In the new process: its own environment and pipes, then what `python -m` does."""
    os.environ.clear()
    os.environ.update(environment)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.dup2(pipes[name].detach() if name in pipes else nowhere, number)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", buffering=1)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
