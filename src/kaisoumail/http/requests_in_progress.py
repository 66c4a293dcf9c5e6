"""
How many requests of one client are being answered at once, also where all come through one proxy.

A connection has one request in progress, so for direct peers the connections are the limit. Behind a proxy named in
TRUSTED_PROXIES all share its connections, and who they are is known only from what it says.
"""

from typing import Any


class RequestsInProgress:
    """At most *per_client* requests of one client that have not proved who asks. Whoever enters must leave."""

    def __init__(self, per_client: int) -> None:
        self._per_client = per_client
        self._by_client: dict[str, dict[int, dict[str, Any]]] = {}

    @property
    def clients(self) -> int:
        """How many clients have a request in progress."""
        return len(self._by_client)

    def enter(self, client: str, state: dict[str, Any]) -> bool:
        """Whether one more request of *client* may be answered; *state* has a `principal` once it is authenticated."""
        mine = self._by_client.setdefault(client, {})
        if len(mine) >= self._per_client and self._strangers(mine) >= self._per_client:
            return False
        mine[id(state)] = state
        return True

    def leave(self, client: str, state: dict[str, Any]) -> None:
        """The request that entered with *state* is over."""
        mine = self._by_client[client]
        del mine[id(state)]
        if not mine:
            del self._by_client[client]

    @staticmethod
    def _strangers(requests: dict[int, dict[str, Any]]) -> int:
        return sum("principal" not in state for state in requests.values())
