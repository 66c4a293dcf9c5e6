"""
One attack in a process of its own: `python -m tests.siege.one_attack NAME TARGET SECONDS`.

It has a low priority: on a small machine the CPU that the attacker uses would otherwise be measured as the server's.
"""

import asyncio
import json
import os
import sys

from tests.siege.attacker import Target, run
from tests.siege.attacks import named


def main() -> None:
    name, target, seconds = sys.argv[1:]
    given = json.loads(target)
    given["recipients"] = tuple(given["recipients"])
    os.nice(10)
    print(asyncio.run(run(named(name), Target(**given), float(seconds))).as_json(), flush=True)
    os._exit(0)  # the kernel closes what is open


if __name__ == "__main__":
    main()
