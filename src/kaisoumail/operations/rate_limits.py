"""
Rate limits: by API key or session, by user, and by address; for signing in by address, much lower.

A request whose credential was verified lately is charged to that credential and its user; every other one,
without a credential or with an unverified one, to the address it comes from. This choice is made before any lookup
and grants no rights: every request is authenticated on its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from time import monotonic
from typing import Final

from kaisoumail.errors import Problem
from kaisoumail.model.client_address import client_key
from kaisoumail.model.clock import MonotonicClock
from kaisoumail.model.token_bucket import LimitStatus, Rate
from kaisoumail.model.user import Viewer
from kaisoumail.storage.tables.token_buckets import Buckets, LocalBuckets, LruMap, forget_full
from kaisoumail.workflows.context import Context

_MAX_CREDENTIALS: Final = 50_000
_WRONG_CREDENTIAL_COST: Final = 4  # tokens, beside the one that every request costs


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates that the operator configured. A rate with a capacity of 0 is no limit."""

    credential: Rate
    user: Rate
    address: Rate
    sign_in: Rate


@dataclass(slots=True)
class RateLimitAdmission:
    """One request that was let in, or its *refusal*, with the status of each limit that it was charged to."""

    address: str
    digest: bytes | None
    is_verified: bool
    is_sign_in: bool
    statuses: list[LimitStatus] = field(default_factory=list)
    refusal: Problem | None = None


class RateLimits:
    """The limits of one process. Addresses and users have separate buckets, each from *make_buckets*."""

    def __init__(
        self,
        rates: Rates,
        make_buckets: Callable[[], Buckets] = LocalBuckets,
        clock: MonotonicClock = monotonic,
    ) -> None:
        self._rates = rates
        self._addresses = make_buckets()
        self._owners = make_buckets()
        self._clock = clock
        self._known: LruMap[bytes, tuple[str, str]] = LruMap(_MAX_CREDENTIALS)

    async def admit(
        self, address: str | None, credential: bytes | None, *, is_sign_in: bool = False
    ) -> RateLimitAdmission:
        """
        Charge a request before it is handled, to its credential and user or to its address.

        *credential* is what it presents, not yet verified: any bytes that are the same each time. The refusal, Problem
        `rate_limited`, is in the admission and is not raised.
        """
        digest = None if credential is None else blake2b(credential, digest_size=16).digest()
        owner = None if digest is None else self._known.get(digest)
        admission = RateLimitAdmission(client_key(address or "?"), digest, owner is not None, is_sign_in)
        if digest is not None and owner is not None and not is_sign_in:
            self._known.used(digest, owner)
            await self._charge_owner(admission, owner)
        else:
            await self._charge(admission, self._addresses, f"ip {admission.address}", self._rates.address)
            if is_sign_in and admission.refusal is None:
                await self._charge(admission, self._addresses, f"in {admission.address}", self._rates.sign_in)
        return admission

    async def settle(
        self, admission: RateLimitAdmission, viewer: Viewer | None, status: int, *, signed_in: bool
    ) -> None:
        """
        Correct the charge once the answer is ready: a verified credential is charged instead of its address.

        A wrong credential costs its address four more tokens, or those that it has left. With *signed_in* the token of
        the sign-in limit is given back.
        """
        if admission.refusal is not None:
            return
        now = self._clock()
        if admission.is_sign_in:
            if signed_in and self._rates.sign_in.capacity:
                self._addresses.give_back(f"in {admission.address}", self._rates.sign_in, now)
        elif viewer is not None and admission.digest is not None and not admission.is_verified:
            owner = (f"by {viewer.key_id or viewer.session_id}", f"of {viewer.id}")
            self._known.used(admission.digest, owner)
            if self._rates.address.capacity:
                self._addresses.give_back(f"ip {admission.address}", self._rates.address, now)
            admission.statuses.clear()
            await self._charge_owner(admission, owner)
            admission.refusal = None  # this request is answered already; the next one is refused
        elif viewer is None and status == 401 and admission.digest is not None:
            self._known.pop(admission.digest, None)
            if self._rates.address.capacity:
                key = f"ip {admission.address}"
                await self._addresses.drain(key, self._rates.address, now, _WRONG_CREDENTIAL_COST)

    async def _charge_owner(self, admission: RateLimitAdmission, owner: tuple[str, str]) -> None:
        credential_key, user_key = owner
        await self._charge(admission, self._owners, credential_key, self._rates.credential)
        if admission.refusal is None:
            await self._charge(admission, self._owners, user_key, self._rates.user)

    async def _charge(self, admission: RateLimitAdmission, buckets: Buckets, key: str, rate: Rate) -> None:
        if not rate.capacity:
            return
        limit_status = await buckets.take(key, rate, self._clock())
        admission.statuses.append(limit_status)
        if not limit_status.passed:
            admission.refusal = _too_many(limit_status)


async def forget_full_buckets(context: Context) -> None:
    """Delete shared buckets that have had time to fill up again."""
    await forget_full(context.database)


def _too_many(limit_status: LimitStatus) -> Problem:
    return Problem(
        "rate_limited",
        "Too many requests",
        retryAfterSeconds=limit_status.seconds,
        limit=limit_status.rate.name,
        allowed=limit_status.rate.capacity,
        perSeconds=limit_status.rate.seconds,
    )
