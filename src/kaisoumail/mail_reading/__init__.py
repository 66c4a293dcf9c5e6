"""
Parses messages in separate processes: takes the bytes, returns the fields that lists show.

The bytes are untrusted, and parsing takes time. In a separate process it can neither block nor crash the server: a
reader that crashes or takes too long is replaced, and its message is stored as unreadable.

Open first: `extract.py`, then `processes.py`.
"""
