"""
Runs that survive a crash: what starts, resumes, retries and forgets them, whatever the jobs are.

`dbos_adapter.py` and `dbos_setup.py` alone call the workflow library (DBOS). `registry.py` is where a job makes itself
known, `steps.py` what a job calls, `engine.py` who runs it.
"""
