"""
HTTP, as the API and the pages share it: the server and its limits, what surrounds every request, who asks.

`protocol.py` bounds what a stranger may send before anything reads it; `middleware.py` is what holds for every answer,
`admission.py` who is let in, `authentication.py` who asks. Knows no route.
"""
