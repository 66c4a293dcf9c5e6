"""
The product's nouns and the rules that hold for them: addresses, domains, mailboxes, messages, users.

Frozen values in, new values out; the time is always passed in. Nothing here reads a database, a
clock or the network. May import `errors` and nothing else of ours.

Open first: `mailbox.py`, then `domain.py`.
"""
