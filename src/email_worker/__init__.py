"""
The Email Worker: the JavaScript that Cloudflare runs for every message. Imports nothing of the other packages.

`worker.mjs` is all of it, uploaded unchanged by `kaisoumail email-worker deploy` or by wrangler (`wrangler.jsonc`).
"""

from importlib.resources import files
from typing import Final

MODULE: Final = "worker.mjs"
# The behaviour of the runtime it was tested with; the same in wrangler.jsonc and the tests' workerd.capnp.
COMPATIBILITY_DATE: Final = "2026-11-01"


def script() -> bytes:
    """The source of the module, as packaged."""
    return files(__name__).joinpath(MODULE).read_bytes()
