"""
A mail answered with 250 or 200 is kept, once, byte for byte, whatever happens to the process a moment later.

`make crash` runs twenty rounds of each; the suite runs `KAISOUMAIL_CRASH_ROUNDS`, one by default.
"""

import os
import random
from functools import partial
from pathlib import Path

import pytest

from tests.builders import an_email
from tests.crash.senders import DOORS, Load, a_sender, ready, stored
from tests.ports import reserved_port
from tests.servers import a_world

ROUNDS = int(os.environ.get("KAISOUMAIL_CRASH_ROUNDS", "1"))
SEED = int(os.environ.get("KAISOUMAIL_CRASH_SEED", "20261125"))
CONNECTIONS = 8
MAILS = 120


def _mails(number: int, chance: random.Random) -> list[bytes]:
    """Mostly small mails, and now and then one that goes to the blob store; every third twice in a row."""
    mails = []
    for count in range(MAILS):
        text = "x" * 70_000 if chance.random() < 0.05 else "hello\n" * chance.randrange(1, 400)
        raw = an_email(subject=f"Round {number} mail {count}", text=text)
        mails += [raw] * (2 if count % 3 == 0 else 1)
    return mails


@pytest.mark.parametrize("door", DOORS)
def test_what_was_acknowledged_is_there_once_after_each_sigkill(tmp_path: Path, database_url: str, door: str) -> None:
    chance = random.Random(f"{SEED} {door}")
    port = reserved_port()
    acknowledged: list[bytes] = []
    with a_world(tmp_path, DATABASE_URL=database_url, SMTP_PORT=str(port)) as world:
        with world.product() as product:
            ready(product)
        for number in range(ROUNDS):
            with world.product() as product:
                load = Load(_mails(number, chance), partial(a_sender, door, product, port))
                load.start(CONNECTIONS)
                load.wait_for(chance.randrange(20, MAILS))
                product.process.kill()
                load.finish()
            acknowledged += load.kept
            assert "never" not in load.answers
        with world.product() as restarted:
            kept = stored(restarted)
            assert [raw for raw in acknowledged if raw not in kept.values()] == []

            again = Load(list(dict.fromkeys(acknowledged)), partial(a_sender, door, restarted, port))
            again.start(CONNECTIONS)
            again.finish()
            assert set(again.answers) == {"kept"}
            assert stored(restarted) == kept
    assert len(acknowledged) >= 20 * ROUNDS, "every kill came after some mails"


def test_a_hand_over_heard_by_both_doors_is_one_message(tmp_path: Path, database_url: str) -> None:
    port, raw = reserved_port(), an_email(subject="By both doors")
    with a_world(tmp_path, DATABASE_URL=database_url, SMTP_PORT=str(port)) as world, world.product() as product:
        ready(product)
        loads = [Load([raw] * 10, partial(a_sender, door, product, port)) for door in DOORS]
        for load in loads:
            load.start(4)
        for load in loads:
            load.finish()

        assert [set(load.answers) for load in loads] == [{"kept"}, {"kept"}]
        assert stored(product) == {"By both doors": raw}


def test_a_stopped_server_ends_cleanly_and_keeps_what_it_said_yes_to(tmp_path: Path) -> None:
    port = reserved_port()
    with a_world(tmp_path, SMTP_PORT=str(port)) as world:
        with world.product() as product:
            ready(product)
            mails = [an_email(subject=f"Mail {number}") for number in range(400)]
            load = Load(mails, partial(a_sender, "smtp", product, port))
            load.start(CONNECTIONS)
            load.wait_for(40)

            assert product.process.stop() == 0
            load.finish()

        with world.product() as restarted:
            kept = stored(restarted)
            assert [raw for raw in load.kept if raw not in kept.values()] == []
