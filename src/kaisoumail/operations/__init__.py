"""
What API, pages, SMTP and the command line can do: one function each, shared by all of them.

An operation checks permission, loads, lets the model decide, saves in one transaction, and starts a run
if the work takes long. May import everything below; knows nothing of HTTP or SMTP.

Open first: `receive.py`, then `mailboxes.py`.
"""
