"""
Doors for mail: SMTP, and the signed hand-over from the Email Worker.

A door speaks its protocol and calls `operations.receive`; whether mail is kept, and where, is not
its business. It says yes only after `receive` returned.

Open first: `webhook.py`, then `smtp.py`.
"""
