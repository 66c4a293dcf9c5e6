"""
Long-running work that completes even when a process dies in the middle of it.

`jobs/` holds the jobs, `engine/` executes their runs. `context.py` is what operations and jobs work with;
`cloudflare_limiter.py` limits how often all processes together call Cloudflare.
"""
