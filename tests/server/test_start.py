"""What a start imports."""

import subprocess
import sys


def test_a_start_does_not_import_pydantic() -> None:
    script = (
        "import sys; from kaisoumail.http.litestar_setup import LitestarWithoutPydantic; LitestarWithoutPydantic([]);"
        "print('litestar.app' in sys.modules, 'pydantic' in sys.modules)"
    )

    started = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert started.stdout.split() == ["True", "False"]
