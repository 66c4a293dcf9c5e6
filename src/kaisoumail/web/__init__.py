"""
The control plane: pages for people, made on the server, usable without JavaScript.

A file is named like its URL; its templates lie in `templates/<page>/`, one file per fragment. Words
live in `locale/<language>.json`, looks in `static/*.css`, both files of others in `static/vendor/`.
Asks `operations` for everything; may also import auth, model, errors and the Context type.

Open first: `app.py`, the page table.
"""
