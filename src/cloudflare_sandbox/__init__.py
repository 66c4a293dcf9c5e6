"""
A pretend Cloudflare: its v4 API for zones, DNS and Email Routing, and its mail server, on two local ports.

In here: what Cloudflare answers, as its API reference and public measurements up to autumn 2026 say.
Not in here: anything of ours; this package imports nothing of the product, so that it cannot share its
misunderstandings. Controls that no Cloudflare has live under `/_sandbox/`.

Open first: `app.py` (the route table), then `email_routing.py`; `server.py` starts it all.
"""

from cloudflare_sandbox.server import Running, running

__all__ = ["Running", "running"]
