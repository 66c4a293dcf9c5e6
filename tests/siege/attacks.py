"""Every attack, in the order in which they are run."""

from typing import Final

from tests.siege import api_attacks, handover_attacks, http_attacks, reading_attacks, smtp_attacks
from tests.siege.attacker import Attack

ATTACKS: Final[tuple[Attack, ...]] = (
    *http_attacks.ATTACKS,
    *api_attacks.ATTACKS,
    *smtp_attacks.ATTACKS,
    *handover_attacks.ATTACKS,
    *reading_attacks.ATTACKS,
)
BY_SMTP: Final = tuple(attack for attack in smtp_attacks.ATTACKS if "starttls" not in attack.name)


def named(name: str) -> Attack:
    """The attack of that name. Raises KeyError."""
    return {attack.name: attack for attack in ATTACKS}[name]
