"""How much speaks for a candidate, by what stands around it. Each rule adds its points and its name."""

import re
from dataclasses import dataclass
from typing import Final

from kaisoumail.parsing.codes.candidates import Candidate
from kaisoumail.parsing.codes.words import ALL
from kaisoumail.parsing.codes.words.table import any_of, compiled

ENOUGH: Final = 100
CLOSE: Final = 25
_WINDOW: Final = 40
_NEAR: Final = 24

_NAMED: Final = compiled(any_of(ALL.named))
_WEAK: Final = compiled(any_of(ALL.weak))
_ABOUT: Final = compiled(any_of(ALL.about))
_USE: Final = compiled(any_of(ALL.use) + r"[^A-Za-z0-9]{0,4}(?:the |this |this code )?\Z")
_OTHER: Final = compiled(any_of(ALL.other) + r"[^A-Za-z0-9]{0,6}\Z")
_OFFER: Final = compiled(any_of(ALL.offer))
_STALE: Final = compiled(any_of(ALL.stale))
# "…code is 123456", "…code: 123456", "…验证码为：123456"; "codes are" names several, and chooses none
_NAMES_IT: Final = compiled(
    rf"(?:{any_of((*ALL.named, *ALL.weak))})(?<!s)[^A-Za-z0-9]{{0,24}}(?:{any_of(ALL.is_)}[^A-Za-z0-9]{{1,12}})?\Z"
)
# "123456 is your Google verification code"
_NAMED_AFTER: Final = compiled(
    rf"[^A-Za-z0-9]{{0,8}}(?:(?:is|as|:|=)\b\W{{0,4}})?(?:(?:your|the|a)\b\W?)?(?:[A-Za-z0-9]+\W){{0,3}}{any_of(ALL.named)}"
)
_YEAR: Final = re.compile(r"(?:19|20)\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its points, and the rules that gave them."""

    candidate: Candidate
    points: int
    rules: tuple[str, ...]


def is_about_identity(text: str) -> bool:
    """Whether a text is about proving who somebody is at all."""
    return _ABOUT.search(text) is not None or _NAMED.search(text) is not None


def scored(text: str, candidate: Candidate, *, in_subject: bool, mail_is_about_identity: bool) -> Scored:
    """*candidate* of *text* (tidy) with its points; `ENOUGH` of them make a code."""
    before = text[max(0, candidate.start - _WINDOW) : candidate.start].removesuffix("G-")
    after = text[candidate.end : candidate.end + _WINDOW]
    names_it = _NAMES_IT.search(before) is not None
    named_near = _NAMED.search(before) is not None or _NAMED.search(after) is not None
    weak_near = _WEAK.search(before) is not None or _WEAK.search(after) is not None
    about_near = _ABOUT.search(before) is not None or _ABOUT.search(after) is not None
    facts = {
        ("digits", 30): candidate.is_digits,
        ("six digits", 10): candidate.is_digits and len(candidate.code) == 6,
        ("letters and digits", 20 if names_it else -20): not candidate.is_digits,
        ("in the subject", 10): in_subject,
        ("a code is named near", 100): named_near,
        ("“code” near", 40): weak_near and not named_near,
        ("the name leads to it", 60): names_it,
        ("the name follows it", 60): _NAMED_AFTER.match(after) is not None,
        ("about identity near", 30): about_near and not named_near,
        ("asked to enter it", 40): _USE.search(before) is not None,
        ("the mail is about identity", 20): mail_is_about_identity and (weak_near or named_near),
        ("another number is named", -120): _OTHER.search(before[-_NEAR:]) is not None and not names_it,
        ("it buys something", -120): (_OFFER.search(after) or _OFFER.search(before[-_NEAR:])) is not None
        and not named_near,
        ("a year", -100): _YEAR.fullmatch(candidate.code) is not None and not names_it,
        ("the code is stale", -120): _STALE.search(before) is not None and not names_it,
    }
    rules = {name: points for (name, points), holds in facts.items() if holds}
    return Scored(candidate, sum(rules.values()), tuple(rules))
