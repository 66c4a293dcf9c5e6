"""
Proofs of identity: creates and checks API keys, session cookies, passkeys and signed hand-overs.

Pure: no database, no clock, no network; values in, values out. May import `model` and `errors`.

Open first: `signatures.py` for hand-overs, `api_keys.py` for users.
"""
