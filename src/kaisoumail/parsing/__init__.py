"""
A mail's bytes in, facts out: who, what, when, bodies, attachments, preview, verification code.

Not in here: keeping anything, deciding who may read it, fetching anything. Every function is pure, never
raises on a stranger's bytes, and costs time linear in what it is given.

May import `errors` and `model`. Open `mime.py` first, then `codes/find.py`.
"""
