"""What large messages took goes back to the system, in a process of its own so that nothing else is in its memory."""

import subprocess
import sys

import pytest

_SCRIPT = """
import asyncio, sys
from kaisoumail.server.memory_trim import MemoryTrim, resident_bytes

async def main():
    trim, kept, pieces = MemoryTrim(), [], []
    before = resident_bytes()
    for number in range(2000):
        pieces.append(bytes(60_000))
        if number % 100 == 0:
            kept.append(bytes(3_000))  # what keeps glibc from giving the rest back by itself
    if 'during' in sys.argv:
        await trim.trim()
    del pieces
    await trim.trim()
    print((resident_bytes() - before) // 1_000_000)

asyncio.run(main())
"""


@pytest.mark.parametrize("first_trim", ["after", "during"])
def test_memory_below_something_that_is_still_in_use_is_given_back(first_trim: str) -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT, first_trim], capture_output=True, text=True, check=True)

    assert int(done.stdout) < 30
