"""
A pretend Cloudflare: its v4 API for zones, DNS and Email Routing, and its mail server, on two local ports.

In here: what Cloudflare answers, as its API reference and public measurements up to autumn 2026 say.
Not in here: anything of ours; this package imports nothing of the product, so that it cannot share its
misunderstandings. Controls that no Cloudflare has live under `/_sandbox/`.

Open first: `routes.py` (the table of paths), then `email_routing.py`; `server.py` starts it all. `README.md`
tells what is observed, read and inferred; `switches.py` holds every doubt.
"""

from cloudflare_sandbox.server import Running, running

__all__ = ["Running", "running"]
