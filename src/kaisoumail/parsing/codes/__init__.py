"""
Verification codes: candidates are found, scored by what stands around them, and one wins or none does.
Confirm links likewise, in `links.py`.

What words mean in which language stands in `words/`, one table a language. Pure; linear; never
raises. Open first: `find.py`; `print(decided(…))` shows why a code was or was not found.
"""
