"""
Messages read in processes of their own: bytes in, the fields a list shows out.

Every byte is a stranger's, and reading costs time. In a process of its own it can neither hold up the server nor take
it down: a reader that crashes or takes too long is replaced, and the message is stored unread.

Open first: `extract.py`, then `processes.py`.
"""
