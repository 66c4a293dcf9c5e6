"""
Verification codes: candidates are found, scored by what stands around them, and one wins or none does.

What words mean in which language stands in `words/`, one table a language. Pure; linear; never
raises. Open first: `find.py`.
"""
