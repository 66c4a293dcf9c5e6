"""
What one mail may cost at most: every hostile shape of the tests' corpus, each in a fresh process.

CPU seconds of what receiving needs (facts, code, preview), of showing the HTML, and of getting one
attachment; and the most memory the process held above what it held with the mail in hand.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kaisoumail.mail_reading.processes import INLINE_BYTES
from kaisoumail.parsing.codes.find import find_code
from kaisoumail.parsing.mime import find_attachment, parse
from kaisoumail.parsing.preview import preview_of
from kaisoumail.parsing.sanitize import safe_html
from tests.parsing.corpus.hostile import LARGE, MEGABYTE, SHAPES

ROOT = Path(__file__).parents[1]
CPU_SECONDS = 2.0
MEGABYTES_ABOVE = 150
_ROUNDS = 5  # of the small mails, whose times are near the clock's grain


@dataclass(frozen=True)
class Row:
    """One line of the table: seconds of CPU, megabytes above the mail's own size."""

    case: str
    size: int
    facts: float
    html: float
    attachment: float
    above: float


def measured(folder: Path, *, size: int = 25 * MEGABYTE) -> list[Row]:
    """Every large mail of the corpus, and every shape at *size* bytes."""
    cases: dict[str, Callable[[], bytes]] = {**LARGE, **{name: _at(make, size) for name, make in SHAPES.items()}}
    return [_row(folder, name, make()) for name, make in cases.items()]


def longest_inline() -> tuple[str, float]:
    """The shape that keeps the event loop longest at the size up to which mails are read on it, and how long."""
    times: dict[str, float] = {}
    for name, make in SHAPES.items():
        raw = make(INLINE_BYTES)[:INLINE_BYTES]
        times[name] = min(_timed(_facts, raw)[0] for _ in range(_ROUNDS))
    worst = max(times, key=lambda name: times[name])
    return worst, times[worst]


def _at(make: Callable[[int], bytes], size: int) -> Callable[[], bytes]:
    return lambda: make(size)


def _row(folder: Path, name: str, raw: bytes) -> Row:
    path = folder / "mail.eml"
    path.write_bytes(raw)
    done = subprocess.run(
        [sys.executable, "-m", "benches.parse", str(path)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return Row(name, len(raw), **json.loads(done.stdout))


def _timed(work: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    began = time.process_time()
    answer = work(*arguments)
    return time.process_time() - began, answer


def _facts(raw: bytes) -> Any:
    parsed = parse(raw)
    find_code(parsed.subject, parsed.text, parsed.html)
    preview_of(parsed.text, parsed.html)
    return parsed


def _most_held() -> float:
    # Not getrusage: across exec it keeps what the parent held.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / MEGABYTE


def _measure(path: Path) -> dict[str, float]:
    _facts(b"Subject: a mail to have everything loaded\r\nContent-Type: text/html\r\n\r\n<p>x")
    raw = path.read_bytes()
    held = _most_held()
    facts, parsed = _timed(_facts, raw)
    html = _timed(safe_html, parsed.html)[0] if parsed.html else 0.0
    last = len(parsed.attachments) - 1
    attachment = _timed(find_attachment, raw, last)[0] if last >= 0 else 0.0
    return {"facts": facts, "html": html, "attachment": attachment, "above": _most_held() - held}


def report(folder: Path) -> None:
    """Measure, and print the table, the dearest first."""
    rows = sorted(measured(folder), key=lambda row: -max(row.facts, row.html, row.attachment))
    print(f"\n{'hostile mail':36} {'bytes':>10} {'facts s':>8} {'HTML s':>7} {'file s':>7} {'MB above':>9}")
    for row in rows:
        over = max(row.facts, row.html, row.attachment) > CPU_SECONDS or row.above > MEGABYTES_ABOVE
        costs = f"{row.facts:8.3f} {row.html:7.3f} {row.attachment:7.3f} {row.above:9.0f}"
        print(f"{row.case:36} {row.size:10} {costs}{'  over the bound' if over else ''}")
    worst, seconds = longest_inline()
    print(f"longest on the event loop, of {INLINE_BYTES} bytes: {worst}, {seconds * 1000:.1f} ms")


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]))))
