"""
The product's nouns and the rules that hold for them: addresses, domains, mailboxes, messages, users.

Frozen values in, new values out; the time is passed in. Nothing here reads a database or the network,
and only `clock.py` and `ids.py` read a clock. May import `errors` and nothing else of ours.

Open first: `mailbox.py`, then `domain.py`.
"""
