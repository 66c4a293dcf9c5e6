"""A verification code found in a mail, and the link that does the same."""

from dataclasses import dataclass
from typing import Literal

LinkKind = Literal["confirm", "sign_in", "reset", "invite"]


@dataclass(frozen=True, slots=True)
class Verification:
    """
    *code* is 4 to 8 letters and digits without separators; *source* says where it stood.

    *evidence* is the text around it, at most 120 characters, *word* what called it a code there. *confidence* is
    from 0 to 1. Mails kept by older versions have none of these.
    """

    code: str
    source: Literal["subject", "body"]
    method: Literal["rules", "ai"] = "rules"
    evidence: str | None = None
    word: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """What may be the code of a mail that the rules found none in; as in `Verification`."""

    code: str
    source: Literal["subject", "body"]
    evidence: str
    word: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """Where following *url* (http or https) leads: *host* in lower case; the words it was shown with; what it does."""

    url: str
    host: str
    text: str
    kind: LinkKind
