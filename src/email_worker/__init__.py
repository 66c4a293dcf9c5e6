"""
The Email Worker: the JavaScript that Cloudflare runs for every mail, an island like the pretend Cloudflare.

`worker.mjs` is all of it, uploaded as it is by `kaisoumail email-worker deploy` or by wrangler (`wrangler.jsonc`).
"""

from importlib.resources import files
from typing import Final

MODULE: Final = "worker.mjs"
# Which of the runtime's behaviours it was tested with; the same in wrangler.jsonc and the tests' workerd.capnp.
COMPATIBILITY_DATE: Final = "2026-11-01"


def script() -> bytes:
    """The module's source, as packaged."""
    return files(__name__).joinpath(MODULE).read_bytes()
