"""
Wiring, and nothing else: from settings to a running server.

Shared by `serve`, `demo` and the end-to-end tests, so that what is tested is what runs. `run.py` opens everything in
its order; `context.py` what operations work with, `http.py` and `smtp.py` the listeners, `background.py` every
periodic job in one table.
"""
