"""
HTTP as the API and the pages share it: the server, its limits, middleware, admission, authentication.

`protocol.py` bounds what a client may send before anything else reads it; `middleware.py` applies to every request,
`admission.py` admits or refuses it, `authentication.py` finds the viewer. It defines no route.
"""
