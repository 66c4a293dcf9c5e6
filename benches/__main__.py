"""Every benchmark, with one table at the end."""

import os
import platform
import tempfile
from pathlib import Path

from benches import find_code, receive


def main() -> None:
    """Run them one after the other on a product in a process of its own, SQLite with synchronous=FULL."""
    with tempfile.TemporaryDirectory(prefix="kaisoumail-bench-") as folder:
        rows = receive.measured(Path(folder))
    print(
        f"\n{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}; load on the same machine"
    )
    print(f"{'what':44} {'conns':>5} {'mails':>6} {'rate/s':>8} {'p50 ms':>7} {'p99 ms':>7}")
    for row in rows:
        times = f"{row.p50 * 1000:7.1f} {row.p99 * 1000:7.1f}"
        print(f"{row.what:44} {row.connections:5} {row.count:6} {row.rate:8.0f} {times}")
    find_code.report()


if __name__ == "__main__":
    main()
