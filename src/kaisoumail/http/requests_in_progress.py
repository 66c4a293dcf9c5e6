"""
Counts the requests of each client that are in progress, also of clients behind one proxy.

A connection has one request in progress, so for direct peers the connection limit is enough. Behind a proxy in
TRUSTED_PROXIES all clients share its connections and are known only from the headers it adds.
"""

from typing import Any


class RequestsInProgress:
    """At most *per_client* unauthenticated requests of one client. Each `enter` that returned True needs a `leave`."""

    def __init__(self, per_client: int) -> None:
        self._per_client = per_client
        self._by_client: dict[str, dict[int, dict[str, Any]]] = {}

    @property
    def clients(self) -> int:
        """The number of clients with a request in progress."""
        return len(self._by_client)

    def enter(self, client: str, state: dict[str, Any]) -> bool:
        """Whether one more request of *client* may begin; its *state* has a `principal` once it is authenticated."""
        requests = self._by_client.setdefault(client, {})
        if len(requests) >= self._per_client and self._unauthenticated(requests) >= self._per_client:
            return False
        requests[id(state)] = state
        return True

    def leave(self, client: str, state: dict[str, Any]) -> None:
        """End the request that entered with *state*."""
        requests = self._by_client[client]
        del requests[id(state)]
        if not requests:
            del self._by_client[client]

    @staticmethod
    def _unauthenticated(requests: dict[int, dict[str, Any]]) -> int:
        return sum(state.get("principal") is None for state in requests.values())
