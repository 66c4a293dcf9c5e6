"""Every benchmark, or those that are named, each with its table: `python -m benches [NAME …]`."""

import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benches import authenticate, find_code, growth, http_servers, list_messages, parse, receive, wait

REPORTS: dict[str, Callable[[Path], None]] = {
    "receive": receive.report,
    "wait": wait.report,
    "list_messages": list_messages.report,
    "parse": parse.report,
    "authenticate": authenticate.report,
    "http_servers": http_servers.report,
    "growth": growth.report,
    "find_code": lambda _: find_code.report(),
}


def main() -> None:
    """Run them one after the other, the product in a process of its own, SQLite with synchronous=FULL."""
    print(
        f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}; load on the same machine"
    )
    for name in sys.argv[1:] or REPORTS:
        with tempfile.TemporaryDirectory(prefix="kaisoumail-bench-") as folder:
            REPORTS[name](Path(folder))


if __name__ == "__main__":
    main()
