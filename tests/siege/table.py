"""The table: one line for each attack, printed when it is over."""

from typing import Final

from tests.siege.measure import Result

_KINDS: Final = ("smtp", "hand-over", "reader", "waiter")
_GROUP: Final = "p50 p99 worst ms"


def heading() -> str:
    groups = " ".join(f"{kind:>18}" for kind in _KINDS)
    return (
        f"{'':56} {'':4} {'opened':>6} {'sent':>6} {groups} {'not':>6}  {'memory MB':>16} {'open':>9} {'back':>5}\n"
        + (
            f"{'attack':56} {'of':4} {'':6} {'MB':>6} {' '.join([f'{_GROUP:>18}'] * 4)} {'served':>6}  "
            f"{'before most after':>16} {'files':>9} {'s':>5}"
        )
    )


def line(result: Result) -> str:
    """One attack; what it broke stands behind it."""
    tally, finding = result.tally, result.attack.finding if result.attack else ""
    groups = " ".join(_group(result, kind) for kind in _KINDS)
    before, after = result.before, result.after
    memory = f"{before.memory >> 20:5} {result.most_memory >> 20:5} {after.memory >> 20 if after else 0:5}"
    files = f"{before.descriptors:4} {after.descriptors if after else 0:4}"
    said = "; ".join(result.complaints())
    return (
        f"{result.name:56} {finding:4} {tally.opened:6} {tally.sent / 1e6:6.1f} {groups} {result.refused:6}  {memory} "
        f"{files} {result.recovery:5.1f}  {said or 'withstood'}"
    )


def _group(result: Result, kind: str) -> str:
    latencies = result.latencies[kind]
    if not latencies.seconds:
        return f"{'-':>18}"
    return " ".join(f"{latencies.at(share) * 1000:{width}.0f}" for share, width in ((0.5, 5), (0.99, 6), (1, 5)))
