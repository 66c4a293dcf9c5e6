"""Every benchmark, with one table at the end."""

import os
import platform
import tempfile
from pathlib import Path

from benches import parse, receive


def main() -> None:
    """Run them one after the other on a product in a process of its own, SQLite with synchronous=FULL."""
    with tempfile.TemporaryDirectory(prefix="kaisoumail-bench-") as folder:
        rows = receive.measured(Path(folder))
        _print_parsing(Path(folder))
    print(
        f"\n{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}; load on the same machine"
    )
    print(f"{'what':44} {'conns':>5} {'mails':>6} {'rate/s':>8} {'p50 ms':>7} {'p99 ms':>7}")
    for row in rows:
        times = f"{row.p50 * 1000:7.1f} {row.p99 * 1000:7.1f}"
        print(f"{row.what:44} {row.connections:5} {row.count:6} {row.rate:8.0f} {times}")


def _print_parsing(folder: Path) -> None:
    rows = sorted(parse.measured(folder), key=lambda row: -max(row.facts, row.html, row.attachment))
    print(f"\n{'hostile mail':36} {'bytes':>10} {'facts s':>8} {'HTML s':>7} {'file s':>7} {'MB above':>9}")
    for row in rows:
        over = max(row.facts, row.html, row.attachment) > parse.CPU_SECONDS or row.above > parse.MEGABYTES_ABOVE
        costs = f"{row.facts:8.3f} {row.html:7.3f} {row.attachment:7.3f} {row.above:9.0f}"
        print(f"{row.case:36} {row.size:10} {costs}{'  over the bound' if over else ''}")
    worst, seconds = parse.longest_inline()
    print(f"longest on the event loop, of {parse.INLINE_BYTES} bytes: {worst}, {seconds * 1000:.1f} ms")


if __name__ == "__main__":
    main()
