"""
The JSON API: request forms in, one call of `operations`, response shapes out. A file is named like its URL.

No rules live here, and nothing here reads the database or Cloudflare: `operations` does both.
May import `http`, `operations`, `auth`, `model` and `errors`.

Open first: `app.py`, the route table; then `shapes.py`, the response bodies.
"""
