"""Random names for addresses: readable, plentiful, and not guessable from an earlier one."""

import secrets
from typing import Final

FIRST_NAMES: Final = (
    "ada", "ben", "cleo", "dora", "emil", "fay", "gus", "hana", "ivo", "june", "kai", "lena",
    "milo", "nora", "otto", "pia", "quinn", "rosa", "sam", "tess", "uma", "vera", "will", "yuki",
)  # fmt: skip
SURNAMES: Final = (
    "ash", "birch", "cole", "dale", "ember", "frost", "glen", "hart", "iris", "jones", "knox",
    "lark", "marsh", "north", "oaks", "pike", "reed", "stone", "thorn", "vale", "west", "wolf",
    "wren", "york",
)  # fmt: skip
HOSTS: Final = ("mail", "post", "desk", "inbox", "box", "hub", "letters", "notes", "relay", "harbor")
"""
The random subdomains.

Few on purpose: each new subdomain needs DNS records at Cloudflare, where a zone holds only 30 mail domains. Privacy
comes from the local part.
"""


def random_local_part() -> str:
    """Two names and four digits, such as `nora-pike-4821`: about 5.7 million, drawn with `secrets`."""
    return f"{secrets.choice(FIRST_NAMES)}-{secrets.choice(SURNAMES)}-{secrets.randbelow(10_000):04d}"
