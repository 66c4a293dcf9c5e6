"""
Jobs that survive a crash: one file, one job, written as a list of steps a stranger can read aloud.

`engine.py` alone knows the library that makes steps durable; `context.py` is what operations and
workflows work with. May import `storage`, `cloudflare` and everything below.

Open first: `bind_domain.py`.
"""
