"""The short form: a few attacks of a second or two each, on both databases, with TLS and without."""

import asyncio
from pathlib import Path

from tests.siege.attacks import ATTACKS, named
from tests.siege.besieged import besieged
from tests.siege.measure import measured

SECONDS = 0.7
OVER_HTTP = (
    "heads are never finished",
    "one chunk extension never ends",
    "wrong keys are tried",
    "hand overs are announced and nothing is sent",
)
BY_SMTP = (
    "one command line never ends",
    "messages end with a reset",
)


def test_ordinary_clients_are_served_and_nothing_is_left_whatever_strangers_do(
    tmp_path: Path, database_url: str
) -> None:
    complaints = {}
    with besieged(tmp_path, {"DATABASE_URL": database_url}, strangers_know=1) as server:
        for name, starttls in [*((name, False) for name in OVER_HTTP + BY_SMTP), *((name, True) for name in BY_SMTP)]:
            target, account = server.target(starttls=starttls), server.account(starttls=starttls)
            label = f"{name}, {'over TLS' if starttls else 'in clear'}"
            result = asyncio.run(measured(server.process, target, account, label, SECONDS, named(name)))

            assert all(result.latencies[kind].seconds for kind in result.latencies), "an ordinary client did nothing"
            complaints[label] = result.complaints(times=False)

    assert complaints == {label: [] for label in complaints}


def test_every_attack_has_a_name_of_its_own_that_its_docstring_explains() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 50
    assert [attack.name for attack in ATTACKS if not attack.one.__doc__] == []
