"""What public DNS answers about a delegation, compared with the name servers that Cloudflare assigned."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DnsAnswer(StrEnum):
    """How a resolver answered a query for name servers."""

    NAME_SERVERS = "name_servers"
    NO_SUCH_NAME = "no_such_name"  # NXDOMAIN: not registered, or held by its registrar
    NOTHING = "nothing"  # the name exists, but is not delegated
    REFUSED = "refused"  # SERVFAIL and the like: mostly servers that do not answer for it, or a left-over DS record
    NO_ANSWER = "no_answer"  # in time, or at all


@dataclass(frozen=True, slots=True)
class Delegation:
    """A resolver's answer for an apex at one moment; *name_servers* is empty unless it named some."""

    answer: DnsAnswer
    name_servers: tuple[str, ...]
    asked_at: datetime

    def is_to(self, assigned: Iterable[str]) -> bool:
        """True when exactly the *assigned* name servers are set. None of the old ones may remain."""
        expected = {_plain(server) for server in assigned}
        return bool(expected) and expected == {_plain(server) for server in self.name_servers}

    def others_than(self, assigned: Iterable[str]) -> tuple[str, ...]:
        """The answered name servers that are not *assigned* and must be removed."""
        expected = {_plain(server) for server in assigned}
        return tuple(server for server in self.name_servers if _plain(server) not in expected)


def _plain(server: str) -> str:
    return server.rstrip(".").lower()
