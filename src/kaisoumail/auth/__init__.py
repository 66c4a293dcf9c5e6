"""
Proofs of identity: how API keys, session cookies and signed hand-overs are made and checked.

Pure: no database, no clock, no network; values in, values out. May import `model` and `errors`.

Open first: `signatures.py` for mail, `api_keys.py` for people.
"""
