"""
The `kaisoumail` command: one file per command, each a thin layer over `server`.

Open first: `main.py`.
"""
