"""
How messages come in: SMTP, and the signed hand-over from the Email Worker.

Each speaks its protocol and calls `operations.receive`; whether a message is stored, and where, is not decided here.
It is accepted only after `receive` returned. Open first: `listener.py`, then `webhook.py`.
"""
