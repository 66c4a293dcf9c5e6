"""The attacks by SMTP on others that run here: Postfix with its defaults, and an aiosmtpd that stores nothing."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benches.peers import aiosmtpd_sink, has_postfix, postfix
from tests.siege.attacker import Target
from tests.siege.measure import Process
from tests.siege.ordinary import Account

ADDRESSES: Final = tuple(f"open{number}@mail.customer.com" for number in range(100))


def each_peer(besiege: Callable[[str, Process, Target, Account], None]) -> None:
    """Have *besiege* attack one after the other, by name; Postfix only where it is installed and may be started."""
    if has_postfix():
        with tempfile.TemporaryDirectory(prefix="kaisoumail-siege-postfix-") as folder, postfix(Path(folder)) as peer:
            besiege("Postfix", Process(peer.pid, (peer.port,)), _target(peer.port), Account(peer.port))
    with aiosmtpd_sink() as sink:
        besiege("aiosmtpd", Process(sink.pid, (sink.port,)), _target(sink.port), Account(sink.port))


def _target(port: int) -> Target:
    return Target(smtp_port=port, recipient=ADDRESSES[0], recipients=ADDRESSES)
