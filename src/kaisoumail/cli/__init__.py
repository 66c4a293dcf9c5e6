"""
The `kaisoumail` command: one file per command, each a thin layer over `server` and `operations`.

Open first: `main.py`.
"""
