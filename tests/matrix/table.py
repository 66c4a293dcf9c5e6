"""The table: a line for each cell, and what they come to."""

from collections import Counter
from collections.abc import Sequence

from tests.matrix.judge import Cell


def heading() -> str:
    return f"{'database':10} {'job':22} {'fault':46} {'at':52} {'end':12} {'s':>5}  complaints"


def line(database: str, cell: Cell) -> str:
    said = "; ".join(cell.complaints())
    where = f"{database:10} {cell.job:22} {cell.fault.kind:46} {cell.fault.point:52}"
    return f"{where} {cell.outcome or '-':12} {cell.seconds:5.1f}  {said or 'none'}"


def summary(cells: Sequence[Cell]) -> str:
    """How many cells there were, how they ended, and what was wrong in so many of them."""
    ends = Counter(cell.outcome or "no end" for cell in cells)
    wrong = {
        "orphans": sum(len(cell.orphans) for cell in cells),
        "doubles": sum(len(cell.doubles) for cell in cells),
        "answers of 500": sum(len(cell.internal_errors) for cell in cells),
        "stuck": sum(bool(cell.stuck) for cell in cells),
        "bugs": sum(bool(cell.bugs) for cell in cells),
        "otherwise wrong": sum(bool(cell.other) for cell in cells),
    }
    passed = sum(not cell.complaints() for cell in cells)
    counted = ", ".join(f"{number} {what}" for what, number in [*sorted(ends.items()), *wrong.items()])
    return f"{passed} of {len(cells)} cells passed: {counted}; {sum(cell.seconds for cell in cells):.0f} s"
