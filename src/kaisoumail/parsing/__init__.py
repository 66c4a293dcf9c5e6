"""
Parses the bytes of a message: headers, addresses, bodies, attachments, preview, verification code, link.

It stores nothing, fetches nothing and checks no permissions. Every function is pure, never raises on hostile input,
and takes time linear in the size of its input.

May import `errors` and `model`. Open `mime.py` first, then `codes/find.py`.
"""
