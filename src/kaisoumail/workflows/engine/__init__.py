"""
Runs that survive a crash: starts, resumes, retries and forgets them, independent of the jobs.

Only `dbos_adapter.py` and `dbos_setup.py` call the workflow library (DBOS). Jobs register in `registry.py` and call
`steps.py`; `engine.py` executes their runs.
"""
