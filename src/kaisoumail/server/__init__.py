"""
Wiring only: from settings to a running server.

`serve`, `demo` and the end-to-end tests share it, so that the tests run the same wiring as production. `run.py` opens
everything in order; `context.py` builds what operations work with, `http.py` and `smtp.py` the listeners;
`background.py` has the table of periodic jobs.
"""
