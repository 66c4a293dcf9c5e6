"""
Queries the public DNS through one resolver that the operator configures.

This is not Cloudflare's API: it shows the name servers that a registrar has set, often before Cloudflare has checked
them. No decision depends on it. May import `model` and `errors` only.

Open first: `resolver.py`.
"""
