"""
Finds the verification code of a message: candidates are scored by the text around them, and one of them wins or none.
`links.py` finds the link to follow in the same way.

`words/` has one table of words for each language. Everything is pure, linear and never raises.

Open first: `find.py`; `print(decided(…))` shows why a code was or was not found.
"""
