"""The lines that most benchmarks print."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line; *p50* and *p99* are seconds, *rate* is a second, 0 where it means nothing."""

    what: str
    connections: int
    count: int
    rate: float
    p50: float
    p99: float


def show(title: str, rows: Sequence[Row]) -> None:
    print(f"\n{title:44} {'conns':>5} {'count':>6} {'rate/s':>8} {'p50 ms':>7} {'p99 ms':>7}")
    for row in rows:
        rate = f"{row.rate:8.0f}" if row.rate else " " * 8
        print(f"{row.what:44} {row.connections:5} {row.count:6} {rate} {row.p50 * 1000:7.1f} {row.p99 * 1000:7.1f}")
