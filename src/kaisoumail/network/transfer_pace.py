"""
By when a message must have arrived: a start, and time for its bytes at the slowest rate that is put up with.

RFC 5321, 4.5.3.2 asks a server for five minutes between commands; how slowly a message may come it leaves open. While
strangers hold most of what there is, nobody slow is waited for (the idea is Postfix's STRESS_README).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransferPace:
    """
    How slow a sender may be.

    *silence* seconds between two bytes; *grace* seconds for the whole and one more for each *rate* bytes that came; and
    the same for times of stress. No transfer takes more than *longest* seconds.
    """

    silence: float = 300.0
    grace: float = 60.0
    rate: float = 1024.0
    longest: float = 1800.0
    stressed_silence: float = 10.0
    stressed_grace: float = 10.0
    stressed_rate: float = 16384.0

    def silence_allowed(self, *, is_stressed: bool) -> float:
        """Seconds that may pass without a byte."""
        return min(self.silence, self.stressed_silence) if is_stressed else self.silence

    def left(self, elapsed: float, received: int, *, is_stressed: bool) -> float:
        """Seconds that are left to a transfer that began *elapsed* seconds ago and brought *received* bytes."""
        grace, rate = (self.stressed_grace, self.stressed_rate) if is_stressed else (self.grace, self.rate)
        return max(0.0, min(self.longest, grace + received / rate) - elapsed)
