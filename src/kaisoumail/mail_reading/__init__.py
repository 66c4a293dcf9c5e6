"""
Mails read in processes of their own: bytes in, the facts a list shows out.

Mail is hostile, and reading it costs time. In a process of its own it can neither hold up the server nor
take it down: a reader that crashes or takes too long is replaced, and the mail is kept unread. May import
`parsing` and `storage/engine/batching.py`; knows nothing of doors and tables.

Open first: `facts.py`, then `processes.py`.
"""
