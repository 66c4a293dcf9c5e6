"""Who reads the wall clock by themselves is written down: everybody else is handed one, and limits get another."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ROOT / "src" / "kaisoumail"
WALL = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("time", "time"), ("time", "time_ns")}


def _reads_the_wall_clock(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in WALL:
            return True
        if isinstance(node, ast.ImportFrom) and node.module == "time" and {a.name for a in node.names} & {"time"}:
            return True
        if isinstance(node, ast.ImportFrom) and "utc_now" in {alias.name for alias in node.names}:
            return True
    return False


def test_i8_the_wall_clock_is_read_where_the_documentation_says() -> None:
    page = (ROOT / "docs/how-it-works/clocks.md").read_text()
    listed = re.findall(r"^\| `([\w/]+\.py)` \|", page, re.M)

    reading = [str(path.relative_to(PRODUCT)) for path in sorted(PRODUCT.rglob("*.py")) if _reads_the_wall_clock(path)]

    assert reading == sorted(listed)


def test_k7_no_statement_asks_for_the_start_of_its_transaction_as_the_time() -> None:
    by_name = re.compile(r"func\.now\(|CURRENT_TIMESTAMP|\bnow\(\) AT", re.I)
    found = [str(path.relative_to(PRODUCT)) for path in PRODUCT.rglob("*.py") if by_name.search(path.read_text())]

    assert found == []
