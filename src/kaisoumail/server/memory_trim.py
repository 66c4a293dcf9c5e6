"""
Returns the memory that large messages left to the system, from time to time.

glibc does not return freed memory below a block that is still in use, so the memory of a burst of large messages would
stay resident. malloc_trim(3) returns whole free pages; other C libraries have no such call, and nothing is done there.
"""

import asyncio
import ctypes
import os
from pathlib import Path
from typing import Final

_WORTH_BYTES: Final = 16 * 1024 * 1024
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class MemoryTrim:
    """Returns free memory when there may be enough of it to be worth some milliseconds."""

    def __init__(self) -> None:
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        self._before = _unallocated_bytes()

    async def trim(self) -> None:
        """Return free memory, in a thread, if 16 MiB more of what is resident is unused than after the last time."""
        if self._trim is not None and _unallocated_bytes() > self._before + _WORTH_BYTES:
            await asyncio.to_thread(self._trim, 0)
            self._before = _unallocated_bytes()


class _MallocInfo(ctypes.Structure):
    """`struct mallinfo2` of mallinfo2(3): *uordblks* bytes are allocated in arenas, *hblkhd* by mmap."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    )


def _unallocated_bytes() -> int:
    """
    The resident bytes that malloc has not handed out; all resident ones where mallinfo2 is missing (glibc < 2.33).

    It is not the resident memory alone: measured during a burst that would be high, and what the burst leaves would
    never exceed it.
    """
    mallinfo = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if mallinfo is None:
        return resident_bytes()
    mallinfo.restype = _MallocInfo
    allocated = mallinfo()
    return resident_bytes() - int(allocated.uordblks) - int(allocated.hblkhd)


def resident_bytes() -> int:
    """The resident memory of this process in bytes; 0 where there is no /proc."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text(encoding="ascii").split()[1]) * _PAGE if statm.exists() else 0
