"""
Attacks by strangers on a running server, while ordinary clients go on and are measured.

`make siege` runs all of them and prints a table; `test_siege.py` runs a few in a small size. How it is
measured: docs/how-it-works/siege.md. Open first: `attacker.py`, then `ordinary.py`, then `measure.py`.
"""
