"""
A `kaisoumail` command whose wall clock steps while it runs: `python -m tests.stepped_wall_clock FILE COMMAND…`.

FILE holds the seconds by which the clock is off now, as a native double. Only the wall clock is: the monotonic one goes
on as it does when somebody sets a machine's clock. Patched before anything of ours is imported, as
`from time import time` and default arguments would keep the true one.
"""

import datetime
import mmap
import runpy
import struct
import sys
import time
from pathlib import Path
from typing import Any

_true_time, _true_datetime = time.time, datetime.datetime
_offset: mmap.mmap


def set_off(file: Path, seconds: float) -> None:
    """From now on whoever runs by *file* is off by *seconds*."""
    with file.open("r+b" if file.exists() else "w+b") as opened:
        opened.write(struct.pack("d", seconds))


def _off_by() -> float:
    seconds: float = struct.unpack("d", _offset[:8])[0]
    return seconds


class _AnyDatetime(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _true_datetime)


class _Stepped(datetime.datetime, metaclass=_AnyDatetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return _true_datetime.fromtimestamp(_true_time() + _off_by(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        return cls.now(datetime.UTC).replace(tzinfo=None)


def _run() -> None:
    global _offset
    with Path(sys.argv[1]).open("r+b") as opened:
        _offset = mmap.mmap(opened.fileno(), 8)
    time.time = lambda: _true_time() + _off_by()
    time.time_ns = lambda: int((_true_time() + _off_by()) * 1_000_000_000)
    datetime.datetime = _Stepped  # type: ignore[misc]
    sys.argv = ["kaisoumail", *sys.argv[2:]]
    runpy.run_module("kaisoumail", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _run()
