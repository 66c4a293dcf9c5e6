"""
A pretend Cloudflare: its v4 API for zones, DNS and Email Routing, and its mail server, on two local ports.

It answers as Cloudflare's API reference and public measurements up to autumn 2026 describe. It imports nothing
of the product, so that it cannot share its misunderstandings. Its own controls are under `/_sandbox/`.

Open first: `routes.py` (the table of paths), then `email_routing.py`; `server.py` starts it all. `README.md`
lists what is observed, read and inferred; `switches.py` has every uncertain behaviour.
"""

from cloudflare_sandbox.server import Running, running

__all__ = ["Running", "running"]
