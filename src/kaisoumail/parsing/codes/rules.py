"""
The rules that give a candidate its points, as data: `RULES`, then `LAST_RULES`.

docs/how-it-works/codes.md prints them; a test compares.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from kaisoumail.parsing.codes.candidates import Candidate
from kaisoumail.parsing.codes.clues import (
    is_asked_for,
    is_discounted,
    is_entered,
    is_example,
    is_in_a_list,
    is_led_to,
    is_like_a_telephone,
    is_plainly_named,
    is_postal,
    is_stale,
    is_the_readers,
    offers_near,
    roles_near,
)
from kaisoumail.parsing.codes.labels import CODE, NAMED, OFFER_LIKE, Label, is_amount
from kaisoumail.parsing.codes.reading import AnalyzedText

ENOUGH: Final = 100
_BOOKINGS: Final = 2  # different words; a single one is in many footers
_PROOF: Final = NAMED | {"about"}
_YEAR: Final = re.compile(r"(?:19|20)\d\d(?:(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))?", re.ASCII)


class MailContext:
    """What the whole message is about; each property is computed on first use."""

    def __init__(self, subject: AnalyzedText, body: AnalyzedText) -> None:
        self._subject, self._body = subject, body

    @cached_property
    def asks_for_proof(self) -> bool:
        """Whether the subject is about proving an identity, and about nothing else that has a number."""
        about = self._subject.roles_at_the_start
        return bool(about & _PROOF) and not about & {"other", "offer"}

    @cached_property
    def speaks_of_proof(self) -> bool:
        """Whether the subject has a word for proof of identity, whatever else it is about."""
        return bool(self._subject.roles_at_the_start & _PROOF)

    @cached_property
    def is_about_identity(self) -> bool:
        """Whether the subject or the first sentences are about proof of identity at all."""
        about = self._subject.roles_at_the_start
        return self.asks_for_proof or bool((about | self._body.roles_at_the_start) & _PROOF)

    @cached_property
    def is_about_a_booking(self) -> bool:
        """Whether it is about a booking, a parcel or a payment: their numbers are called codes as well."""
        if self._subject.bookings_at_the_start:
            return True
        return not self.asks_for_proof and len(self._body.bookings_at_the_start) >= _BOOKINGS

    @cached_property
    def offers(self) -> bool:
        """Whether the subject is about a discount or another percentage, and not about proof."""
        about = self._subject.roles_at_the_start
        return ("offer" in about or "%" in self._subject.text) and not about & _PROOF


class CandidateContext:
    """One candidate of *reading* with its *label*, in its message; each property is computed on first use."""

    def __init__(self, reading: AnalyzedText, candidate: Candidate, label: Label | None, message: MailContext) -> None:
        self.reading, self.candidate, self.label, self.message = reading, candidate, label, message
        self.code = candidate.code
        self.role = None if label is None else label.hit.role

    @property
    def is_named(self) -> bool:
        """Whether its word names a code ("verification code")."""
        return self.role in NAMED

    @property
    def is_called(self) -> bool:
        """Whether its word only calls it a code ("code")."""
        return self.role in ("weak", "own")

    @property
    def is_tight(self) -> bool:
        """Whether its word leads directly to it."""
        return self.label is not None and self.label.is_tight

    @cached_property
    def near(self) -> set[str]:
        """The roles of the words near it."""
        return roles_near(self.reading, self.candidate)

    @cached_property
    def stands_alone(self) -> bool:
        """Whether nothing else is on its line."""
        return self.reading.stands_alone(self.candidate)

    @cached_property
    def is_introduced(self) -> bool:
        """Whether a copula ("is") or a colon directly precedes it."""
        return is_led_to(self.reading, self.candidate)

    @cached_property
    def is_entered(self) -> bool:
        """Whether exactly this is to be typed in, and it has no word."""
        return self.role is None and is_entered(self.reading, self.candidate)

    @cached_property
    def is_the_readers(self) -> bool:
        """Whether its word has a possessive ("your code")."""
        return is_the_readers(self.reading, self.candidate, self.label)

    @property
    def may_be_a_code(self) -> bool:
        """Whether anything speaks for it at all: its word, the words near it, or how it is displayed."""
        is_displayed = self.role is None and self.stands_alone
        is_displayed = is_displayed and (self.candidate.is_digits or (self.is_introduced and "use" in self.near))
        is_displayed = is_displayed and self.message.asks_for_proof
        return self.role in CODE or is_displayed or bool(self.near & {"use", "about"})

    @cached_property
    def is_for_proof(self) -> bool:
        """Whether it is like "Use code 482913 to sign in", "your PIN to sign in", or "Enter this code" about that."""
        is_about_proof = "about" in self.near
        if is_about_proof and (self.label is None or self.is_the_readers):
            return True
        is_about_proof = is_about_proof or self.message.speaks_of_proof
        return is_about_proof and is_asked_for(self.reading, self.candidate, self.label)


@dataclass(frozen=True, slots=True)
class Rule:
    """Gives *points* to a candidate of which it *holds*."""

    name: str
    points: int
    holds: Callable[[CandidateContext], bool]


@dataclass(frozen=True, slots=True)
class LastRule:
    """As `Rule`, only for candidates with *least* to *most* points: it looks at the whole message, which is dear."""

    name: str
    points: int
    least: int
    most: int
    holds: Callable[[CandidateContext], bool]


def _is_nobodys(c: CandidateContext) -> bool:
    return c.role == "weak" and not c.is_the_readers and not c.message.is_about_identity


def _is_long_and_alone(c: CandidateContext) -> bool:
    return c.stands_alone and len(c.code) == 6


RULES: Final[tuple[Rule, ...]] = (
    Rule("digits", 30, lambda c: c.candidate.is_digits),
    Rule("six digits", 10, lambda c: c.candidate.is_digits and len(c.code) == 6),
    Rule("in the subject", 10, lambda c: c.reading.where == "subject"),
    Rule("named a code", 100, lambda c: c.is_named),
    Rule("called a code", 45, lambda c: c.is_called),
    Rule("the word leads to it", 60, lambda c: c.role in CODE and c.is_tight),
    Rule("the word that names it is far", -40, lambda c: c.is_named and not c.is_tight),
    Rule("the word that calls it is far", -20, lambda c: c.role in CODE and not c.is_named and not c.is_tight),
    Rule("introduced by a copula or colon", 30, lambda c: c.is_named and not c.is_tight and c.is_introduced),
    Rule("alone on its line", 40, lambda c: c.stands_alone and c.role in {*CODE, None}),
    Rule(
        "shown below a colon", 50, lambda c: c.stands_alone and c.role is None and c.is_introduced and "use" in c.near
    ),
    Rule(
        "the subject begins with it",
        20,
        lambda c: c.reading.where == "subject" and c.role is None and c.candidate.start == 0,
    ),
    Rule("asked to enter it", 40, lambda c: "use" in c.near),
    Rule("just this is to be entered", 40, lambda c: c.is_entered),
    Rule("about identity near", 30, lambda c: "about" in c.near and not c.is_named),
    Rule("the subject asks for proof", 30, lambda c: (c.stands_alone or "use" in c.near) and c.message.asks_for_proof),
    Rule(
        "letters and digits",
        -60,
        lambda c: not c.candidate.is_digits and not c.is_entered and not c.is_tight,
    ),
    Rule("like a coupon", -60, lambda c: not c.is_named and OFFER_LIKE.fullmatch(c.code) is not None),
    Rule("another number is named", -200, lambda c: c.role in ("other", "offer")),
    Rule("it buys something", -150, lambda c: not c.is_named and ("offer" in c.near or c.message.offers)),
    Rule(
        "an offer is near",
        -100,
        lambda c: not c.is_named and offers_near(c.reading, c.candidate) and not c.message.is_about_identity,
    ),
    Rule("an amount", -200, lambda c: is_amount(c.reading, c.candidate)),
    Rule("not the reader's code, six alone on a line", -60, lambda c: _is_nobodys(c) and _is_long_and_alone(c)),
    Rule("not the reader's code", -90, lambda c: _is_nobodys(c) and not _is_long_and_alone(c)),
    Rule(
        "an example in quotes",
        -150,
        lambda c: c.label is not None and is_example(c.reading, c.candidate, c.label),
    ),
    Rule("one of a list", -100, lambda c: c.stands_alone and is_in_a_list(c.reading, c.candidate)),
    Rule(
        "a discount is near",
        -100,
        lambda c: not c.is_named and not c.candidate.is_digits and is_discounted(c.reading, c.candidate),
    ),
    Rule(
        "a year or a date",
        -150,
        lambda c: _YEAR.fullmatch(c.code) is not None and not is_plainly_named(c.reading, c.candidate, c.label),
    ),
    Rule("like a telephone", -100, lambda c: is_like_a_telephone(c.reading, c.candidate, c.label)),
    Rule("a postal code", -100, lambda c: is_postal(c.reading, c.candidate)),
    Rule("the code is stale", -150, lambda c: is_stale(c.reading, c.candidate, c.label)),
)

MANY: Final = 10_000
LAST_RULES: Final[tuple[LastRule, ...]] = (
    LastRule(
        "the message is about identity",
        20,
        ENOUGH - 20,
        ENOUGH - 1,
        lambda c: (c.is_called or c.is_entered) and c.message.is_about_identity,
    ),
    LastRule(
        "it is about a booking, a parcel or a payment",
        -200,
        ENOUGH,
        MANY,
        lambda c: c.role != "named" and c.message.is_about_a_booking and not c.is_for_proof,
    ),
    LastRule("it opens a meeting", -200, ENOUGH, MANY, lambda c: c.reading.invites_to_a_meeting),
)
