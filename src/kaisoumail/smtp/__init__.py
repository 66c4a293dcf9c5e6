"""
How messages come in: SMTP, and the signed hand-over from the Email Worker.

Each speaks its protocol and calls `operations.receive`; whether a message is stored, and where, is not decided here.
A message is accepted only after `receive` has returned. Open first: `listener.py`, then `webhook.py`.
"""
