"""The order in which requests of unauthenticated clients begin."""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

from kaisoumail.network.request_queue import RequestQueue


@dataclass(eq=False)
class Request:
    name: str
    began: list[str]
    is_busy: bool = False

    def begin(self) -> None:
        self.began.append(self.name)
        self.is_busy = True


@dataclass
class Loop:
    """A clock and a timer that are moved by hand, and a queue on them."""

    now: float = 0.0
    timers: list[Callable[[], None]] = field(default_factory=list)
    began: list[str] = field(default_factory=list)

    def queue(self, at_once: int) -> RequestQueue:
        return RequestQueue(at_once, 0.5, lambda: self.now, lambda _, call: self.timers.append(call))

    def request(self, name: str) -> Request:
        return Request(name, self.began)

    def fire(self) -> None:
        timers, self.timers = self.timers, []
        for call in timers:
            call()


def test_requests_begin_at_once_while_there_is_place() -> None:
    loop = Loop()
    queue = loop.queue(2)

    for name in "ab":
        queue.add(name, loop.request(name))

    assert loop.began == ["a", "b"]
    assert loop.timers == []


def test_a_client_with_a_hundred_requests_delays_another_by_one() -> None:
    loop = Loop()
    queue = loop.queue(1)
    of_many = [loop.request(f"many{number}") for number in range(100)]
    for request in of_many:
        queue.add("many", request)
    queue.add("other", loop.request("other"))

    for request in of_many[:2]:
        request.is_busy = False
        queue.advance()

    assert loop.began == ["many0", "many1", "other"]
    assert len(queue) == 98


def test_clients_take_turns() -> None:
    loop = Loop()
    queue = loop.queue(1)
    requests = {name: loop.request(name) for name in ("a1", "a2", "a3", "b1", "b2", "c1")}
    for name, request in requests.items():
        queue.add(name[0], request)

    while len(queue):
        requests[loop.began[-1]].is_busy = False
        queue.advance()

    assert loop.began == ["a1", "a2", "b1", "c1", "a3", "b2"]


def test_a_request_that_takes_long_holds_nobody_up_for_longer_than_half_a_second() -> None:
    loop = Loop()
    queue = loop.queue(1)
    queue.add("a", loop.request("slow"))
    queue.add("b", loop.request("next"))

    loop.now = 0.4
    loop.fire()
    before = list(loop.began)
    loop.now = 0.6
    loop.fire()

    assert before == ["slow"]
    assert loop.began == ["slow", "next"]


def test_one_timer_is_due_while_requests_wait_and_none_afterwards() -> None:
    loop = Loop()
    queue = loop.queue(1)
    first = loop.request("first")
    queue.add("a", first)
    for number in range(50):
        queue.add("b", loop.request(str(number)))
    timers = len(loop.timers)

    while len(queue):
        loop.now += 1
        loop.fire()
    loop.fire()

    assert timers == 1
    assert loop.timers == []


def test_a_hundred_thousand_requests_leave_nothing() -> None:
    loop = Loop()
    queue = loop.queue(16)
    left: weakref.WeakSet[Request] = weakref.WeakSet()

    for number in range(100_000):
        request = loop.request(str(number))
        left.add(request)
        queue.add(str(number), request)
        request.is_busy = False
        queue.advance()
    del request

    assert (len(queue), len(left)) == (0, 0)
