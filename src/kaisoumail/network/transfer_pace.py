"""
The time in which a message must arrive: a grace period, and time for its bytes at the slowest rate that is accepted.

RFC 5321, 4.5.3.2 requires five minutes between commands; it does not limit how slowly a message may arrive. While
unauthenticated clients hold most of the connections, slow senders get less time (as in Postfix's STRESS_README).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransferPace:
    """
    How slow a sender may be.

    At most *silence* seconds between two bytes; *grace* seconds for the whole transfer, and one more for each *rate*
    bytes received; `stressed_…` are the same under stress. No transfer takes more than *longest* seconds.
    """

    silence: float = 300.0
    grace: float = 60.0
    rate: float = 1024.0
    longest: float = 1800.0
    stressed_silence: float = 10.0
    stressed_grace: float = 10.0
    stressed_rate: float = 16384.0

    def silence_allowed(self, *, is_stressed: bool) -> float:
        """The seconds that may pass without a byte."""
        return min(self.silence, self.stressed_silence) if is_stressed else self.silence

    def left(self, elapsed: float, received: int, *, is_stressed: bool) -> float:
        """The seconds left for a transfer that began *elapsed* seconds ago, of which *received* bytes have arrived."""
        grace, rate = (self.stressed_grace, self.stressed_rate) if is_stressed else (self.grace, self.rate)
        return max(0.0, min(self.longest, grace + received / rate) - elapsed)
