"""
Work that takes long and must end, whatever dies meanwhile.

`jobs/` says what is done, `engine/` sees it through. `context.py` is what operations and jobs work with;
`cloudflare_limiter.py` is how often all processes together ask Cloudflare.
"""
