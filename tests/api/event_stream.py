"""A client of `GET /api/events`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

Event = tuple[str, str, dict[str, Any]]  # id, kind, data


@contextmanager
def following(client: httpx.Client, **headers: str) -> Iterator[Iterator[Event]]:
    """The events as they come. A plain client: the contract's check reads bodies to their end."""
    plain = {"authorization": client.headers["authorization"], **headers}
    with httpx.stream("GET", f"{client.base_url}/api/events", headers=plain, timeout=60) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-store", "no")
        yield events_in(answer.iter_lines())


def events_in(lines: Iterator[str]) -> Iterator[Event]:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name:
            fields[name] = value
        elif line == "" and "data" in fields:
            yield fields["id"], fields["event"], json.loads(fields["data"])
            fields = {}
