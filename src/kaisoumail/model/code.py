"""A verification code found in a message, and a link that serves the same purpose."""

from dataclasses import dataclass
from typing import Literal

LinkKind = Literal["confirm", "sign_in", "reset", "invite"]


@dataclass(frozen=True, slots=True)
class Verification:
    """
    *code* is 4 to 8 letters and digits without separators; *source* is where it was found.

    *evidence* is the text around it, at most 120 characters, *word* the word there that marks it as a code.
    *confidence* is from 0 to 1. Messages stored by older versions have none of these three.
    """

    code: str
    source: Literal["subject", "body"]
    method: Literal["rules", "ai"] = "rules"
    evidence: str | None = None
    word: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class UncertainCode:
    """A possible code of a message in which the rules found none; fields as in `Verification`."""

    code: str
    source: Literal["subject", "body"]
    evidence: str
    word: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link: its *url* (http or https), its *host* in lower case, the *text* it is shown with, and what it does."""

    url: str
    host: str
    text: str
    kind: LinkKind
