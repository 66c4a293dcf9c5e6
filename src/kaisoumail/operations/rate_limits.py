"""
How much anybody may ask: by API key or session, by user, and by address; signing in by address, much tighter.

A request whose credential proved itself lately is charged to that credential and its user; every other one,
without a credential or with one nobody has seen proved, to the address it comes from. Which of the two decides
before anything is looked up, and gives nobody a right: who asks is found out anew for each request.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from time import monotonic
from typing import Final

from kaisoumail.errors import Problem
from kaisoumail.model.client_address import counted_as
from kaisoumail.model.clock import MonotonicClock
from kaisoumail.model.token_bucket import LimitStatus, Rate
from kaisoumail.model.user import Viewer
from kaisoumail.storage.tables.token_buckets import Buckets, LocalBuckets, LruMap, forget_full
from kaisoumail.workflows.context import Context

_MOST_CREDENTIALS: Final = 50_000
_PRICE_OF_A_WRONG_ONE: Final = 4  # beside the one token every request costs


@dataclass(frozen=True, slots=True)
class Rates:
    """What the operator allows. A rate with a capacity of 0 is no limit."""

    credential: Rate
    user: Rate
    address: Rate
    sign_in: Rate


@dataclass(slots=True)
class Admission:
    """One request let in, or its *refusal*; how it stands with each limit it was charged to."""

    address: str
    digest: bytes | None
    is_known: bool
    is_sign_in: bool
    standings: list[LimitStatus] = field(default_factory=list)
    refusal: Problem | None = None


class RateLimits:
    """The limits of one process; *make_buckets* makes those of addresses and those of people apart."""

    def __init__(
        self,
        rates: Rates,
        make_buckets: Callable[[], Buckets] = LocalBuckets,
        clock: MonotonicClock = monotonic,
    ) -> None:
        self._rates = rates
        self._addresses = make_buckets()
        self._people = make_buckets()
        self._clock = clock
        self._known: LruMap[bytes, tuple[str, str]] = LruMap(_MOST_CREDENTIALS)

    async def admit(self, address: str | None, credential: bytes | None, *, is_sign_in: bool = False) -> Admission:
        """
        A request on its way in, charged to whom it belongs.

        *credential* is what it claims to prove itself by, in whatever form as long as it is the same each time.
        """
        digest = None if credential is None else blake2b(credential, digest_size=16).digest()
        owner = None if digest is None else self._known.get(digest)
        admission = Admission(counted_as(address or "?"), digest, owner is not None, is_sign_in)
        if digest is not None and owner is not None and not is_sign_in:
            self._known.used(digest, owner)
            await self._charge_people(admission, owner)
        else:
            await self._charge(admission, self._addresses, f"ip {admission.address}", self._rates.address)
            if is_sign_in and admission.refusal is None:
                await self._charge(admission, self._addresses, f"in {admission.address}", self._rates.sign_in)
        return admission

    async def settle(self, admission: Admission, viewer: Viewer | None, status: int, *, signed_in: bool) -> None:
        """
        The answer is ready: whoever proved who they are is charged instead of the address they came from.

        A credential that proved wrong costs its address five requests. Who *signed_in* gets that attempt back.
        """
        if admission.refusal is not None:
            return
        now = self._clock()
        if admission.is_sign_in:
            if signed_in and self._rates.sign_in.capacity:
                self._addresses.give_back(f"in {admission.address}", self._rates.sign_in, now)
        elif viewer is not None and admission.digest is not None and not admission.is_known:
            owner = (f"by {viewer.key_id or viewer.session_id}", f"of {viewer.id}")
            self._known.used(admission.digest, owner)
            if self._rates.address.capacity:
                self._addresses.give_back(f"ip {admission.address}", self._rates.address, now)
            admission.standings.clear()
            await self._charge_people(admission, owner)
            admission.refusal = None  # it is answered already; the next one will wait
        elif viewer is None and status == 401 and admission.digest is not None:
            self._known.pop(admission.digest, None)
            if self._rates.address.capacity:
                key = f"ip {admission.address}"
                await self._addresses.take(key, self._rates.address, now, _PRICE_OF_A_WRONG_ONE)

    async def _charge_people(self, admission: Admission, owner: tuple[str, str]) -> None:
        by, of = owner
        await self._charge(admission, self._people, by, self._rates.credential)
        if admission.refusal is None:
            await self._charge(admission, self._people, of, self._rates.user)

    async def _charge(self, admission: Admission, buckets: Buckets, key: str, rate: Rate) -> None:
        if not rate.capacity:
            return
        standing = await buckets.take(key, rate, self._clock())
        admission.standings.append(standing)
        if not standing.passed:
            admission.refusal = _too_many(standing)


async def forget_full_buckets(context: Context) -> None:
    """Clear shared buckets away that have had time to fill up again."""
    await forget_full(context.database)


def _too_many(standing: LimitStatus) -> Problem:
    return Problem(
        "rate_limited",
        "Too many requests",
        retryAfterSeconds=standing.seconds,
        limit=standing.rate.name,
        allowed=standing.rate.capacity,
        perSeconds=standing.rate.seconds,
    )
