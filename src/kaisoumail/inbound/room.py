"""How much of what strangers send is held in memory at once."""

from dataclasses import dataclass
from typing import Final

BYTES: Final = 256 * 1024 * 1024  # of one door, unless it is told otherwise
FLOOD: Final = 4  # who sends so many times what is allowed is not listened to any longer


@dataclass(slots=True)
class Room:
    """Bytes of mails that may be in memory at once, over all connections of a door."""

    left: int = BYTES

    @property
    def is_full(self) -> bool:
        return self.left <= 0

    def take(self, size: int) -> int:
        """Count *size* bytes, and return it; there may be less than no room then, which `is_full` tells."""
        self.left -= size
        return size

    def give_back(self, size: int) -> int:
        self.left += size
        return size
