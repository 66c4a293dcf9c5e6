"""
What a person, a program or a sending server may ask for: one function each, used by every door.

An operation asks who may, loads, lets the model decide, saves in one transaction, and starts a run
if it takes long. May import everything below; knows nothing of HTTP or SMTP.

Open first: `receive.py`, then `mailboxes.py`.
"""
