"""
The domain name system as everybody sees it, asked through one resolver the operator names.

Not Cloudflare's API: what a registrar has set shows here, often before Cloudflare has looked. Never
asked for anything that decides. May import `model` and `errors` only.

Open first: `resolver.py`.
"""
