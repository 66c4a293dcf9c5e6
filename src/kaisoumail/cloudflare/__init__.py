"""
The Cloudflare API: one client, its errors by type, and the calls we make, one file per product.

It does not use our database: what processes share is passed in. Decisions are made on error types, never on English
words. May import `model` and `errors`.

Open first: `errors.py` for what can happen, then `client.py`.
"""
