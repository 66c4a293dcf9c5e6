"""A verification code found in a mail."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Verification:
    """*code* is 4 to 8 letters and digits without separators; *source* says where it stood."""

    code: str
    source: Literal["subject", "body"]
    method: Literal["rules", "ai"] = "rules"
