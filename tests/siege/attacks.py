"""Every attack, in the order in which they are run."""

from typing import Final

from tests.siege import http_attacks
from tests.siege.attacker import Attack

ATTACKS: Final[tuple[Attack, ...]] = (*http_attacks.ATTACKS,)


def named(name: str) -> Attack:
    """The attack of that name. Raises KeyError."""
    return {attack.name: attack for attack in ATTACKS}[name]
