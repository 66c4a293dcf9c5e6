"""
The control plane: pages rendered on the server, usable without JavaScript.

A file is named like its URL; its templates are in `templates/<page>/`, one file per fragment. Texts are in
`locale/<language>.json`, styles in `static/*.css`, third-party files in `static/vendor/`.
Calls `operations` for everything; may also import `http`, `auth`, `model` and `errors`.

Open first: `app.py`, the page table.
"""
