"""
The JSON API: contract shapes in, operations, contract shapes out. A file is named like its URL.

No rules live here, and nothing here reads the database or Cloudflare: that is `operations`' work.
May import `operations`, `workflows.context` for its type, `auth`, `model` and `errors`.

Open first: `app.py`, the whole API at a glance; then `shapes.py`, what clients get.
"""
