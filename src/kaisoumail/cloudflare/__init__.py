"""
All talk with Cloudflare: one client, its errors by type, and the calls we make, one file per product.

Knows nothing of our database: what must be shared between processes is handed in. Decisions are made
on error types, never on English words. May import `model` and `errors`.

Open first: `errors.py` for what can happen, then `client.py`.
"""
