"""How much speaks for a candidate, by what stands around it. Each rule adds its points and its name."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from kaisoumail.parsing.codes.candidates import Candidate, alone_on_a_line
from kaisoumail.parsing.codes.words import ALL
from kaisoumail.parsing.codes.words.table import any_of, compiled

ENOUGH: Final = 100
CLOSE: Final = 25
_WINDOW: Final = 40
_NEAR: Final = 24
_ABOUT_POINTS: Final = 20
_START: Final = 4096  # what a mail is about is said by then

_NAMED: Final = compiled(any_of(ALL.named))
_WEAK: Final = compiled(any_of(ALL.weak))
_ABOUT: Final = compiled(any_of(ALL.about))
_USE: Final = compiled(any_of(ALL.use) + r"[^A-Za-z0-9]{0,4}(?:the |this |this code )?\Z")
_OTHER: Final = compiled(any_of(ALL.other) + r"[^A-Za-z0-9]{0,6}\Z")
_THING: Final = compiled(any_of(ALL.other))
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
# Without one of these beside it nothing reaches `ENOUGH`: the one look that most numbers get.
_ANY_SIGN: Final = compiled(any_of((*ALL.named, *ALL.weak, *ALL.about)))
_PREFIX: Final = re.compile(r"\b(?:[A-Z]|FB)-\Z", re.ASCII)
_YEAR: Final = re.compile(r"(?:19|20)\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its points, and the rules that gave them."""

    candidate: Candidate
    points: int
    rules: tuple[str, ...]


class Setting:
    """What the rest of the mail adds to every candidate in one of its texts; found out when first asked."""

    def __init__(self, subject: str, text: str, lines: str | None = None) -> None:
        """*subject* and *text* are tidy; *lines* is the body before it was, None for the subject itself."""
        self._subject, self._text, self._lines = subject, text, lines

    @property
    def in_subject(self) -> bool:
        return self._lines is None

    @cached_property
    def alone(self) -> frozenset[str]:
        """The codes that have a line of the body to themselves."""
        return alone_on_a_line(self._lines or "")

    @cached_property
    def is_about_identity(self) -> bool:
        """Whether the mail is about proving who somebody is at all."""
        return any(_ABOUT.search(text) or _NAMED.search(text) for text in (self._subject, self._text[:_START]))

    @cached_property
    def subject_asks_for_proof(self) -> bool:
        """Whether the subject is about that and about nothing else that has a number, such as an order."""
        about = _ABOUT.search(self._subject) or _NAMED.search(self._subject)
        return about is not None and not _THING.search(self._subject) and not _OFFER.search(self._subject)


def scored(text: str, candidate: Candidate, setting: Setting) -> Scored:
    """*candidate* of *text* (tidy) with its points; `ENOUGH` of them make a code."""
    before = _PREFIX.sub("", text[max(0, candidate.start - _WINDOW) : candidate.start])
    after = text[candidate.end : candidate.end + _WINDOW]
    is_six_digits = candidate.is_digits and len(candidate.code) == 6
    shown_alone = is_six_digits and setting.subject_asks_for_proof and candidate.code in setting.alone
    if not shown_alone and not _ANY_SIGN.search(before) and not _ANY_SIGN.search(after):
        return Scored(candidate, 0, ())
    names_it = _NAMES_IT.search(before) is not None
    name_follows = _NAMED_AFTER.match(after) is not None
    named_near = _NAMED.search(before) is not None or _NAMED.search(after) is not None
    weak_near = _WEAK.search(before) is not None or _WEAK.search(after) is not None
    about_near = _ABOUT.search(before) is not None or _ABOUT.search(after) is not None
    facts = {
        ("digits", 30): candidate.is_digits,
        ("six digits", 10): is_six_digits,
        ("letters and digits", 20 if names_it or name_follows else -60): not candidate.is_digits,
        ("in the subject", 10): setting.in_subject,
        ("a code is named near", 100): named_near,
        ("“code” near", 40): weak_near and not named_near,
        ("the name leads to it", 60): names_it,
        ("the name follows it", 60): name_follows,
        ("alone on its line", 70): shown_alone,
        ("about identity near", 30): about_near and not named_near,
        ("asked to enter it", 40): _USE.search(before) is not None,
        ("another number is named", -120): _OTHER.search(before[-_NEAR:]) is not None,
        ("it buys something", -120): (_OFFER.search(after) or _OFFER.search(before[-_NEAR:])) is not None
        and not named_near,
        ("a year", -100): _YEAR.fullmatch(candidate.code) is not None and not names_it,
        ("the code is stale", -120): _STALE.search(before) is not None and not names_it,
    }
    rules = {name: points for (name, points), holds in facts.items() if holds}
    points = sum(rules.values())
    # Asked last and only when it decides: it is the one question about the whole mail.
    if (weak_near or named_near) and ENOUGH - _ABOUT_POINTS <= points < ENOUGH and setting.is_about_identity:
        points += _ABOUT_POINTS
        rules["the mail is about identity"] = _ABOUT_POINTS
    return Scored(candidate, points, tuple(rules))
