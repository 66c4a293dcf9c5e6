"""
The points of each candidate of a text, by its label and the text around it.

Each rule that holds adds its points and its name. All of them are in `_scored`.
"""

import re
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
from kaisoumail.parsing.codes.labels import CODE, NAMED, OFFER_LIKE, Label, is_amount, labels_of
from kaisoumail.parsing.codes.reading import AnalyzedText

ENOUGH: Final = 100
CLOSE: Final = 60
_BOOKINGS: Final = 2  # different words; a single one is in many footers
_PROOF: Final = NAMED | {"about"}
_YEAR: Final = re.compile(r"(?:19|20)\d\d(?:(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ScoredCandidate:
    """A candidate, its points and their rules, and its label: the *word* ("" without one) and where that begins."""

    candidate: Candidate
    points: int
    rules: tuple[str, ...]
    word: str = ""
    is_quoted: bool = False
    labelled_at: int | None = None


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


def score_candidates(reading: AnalyzedText, context: MailContext) -> list[ScoredCandidate]:
    """The candidates of *reading* with their points, in order. A code needs `ENOUGH` points."""
    if not reading.hits and not context.asks_for_proof:
        return [ScoredCandidate(candidate, 0, ()) for candidate in reading.candidates]
    labels = labels_of(reading)
    return [
        _scored(reading, candidate, label, context) for candidate, label in zip(reading.candidates, labels, strict=True)
    ]


def _scored(reading: AnalyzedText, candidate: Candidate, label: Label | None, context: MailContext) -> ScoredCandidate:
    code = candidate.code
    role = None if label is None else label.hit.role
    near = roles_near(reading, candidate)
    alone = reading.stands_alone(candidate)
    introduced = is_led_to(reading, candidate)
    entered = role is None and is_entered(reading, candidate)
    is_displayed = role is None and alone and (candidate.is_digits or (introduced and "use" in near))
    if role not in CODE and not (is_displayed and context.asks_for_proof) and not near & {"use", "about"}:
        return ScoredCandidate(candidate, 0, (), is_quoted=reading.is_quoted(candidate))
    rules = {
        ("digits", 30): candidate.is_digits,
        ("six digits", 10): candidate.is_digits and len(code) == 6,
        ("in the subject", 10): reading.where == "subject",
        ("named a code", 100): role in NAMED,
        ("called a code", 45): role in ("weak", "own"),
        ("the word leads to it", 60): label is not None and role in CODE and label.is_tight,
        ("the word is far", -40 if role in NAMED else -20): label is not None and role in CODE and not label.is_tight,
        ("introduced by a copula or colon", 30): role in NAMED
        and label is not None
        and not label.is_tight
        and introduced,
        ("alone on its line", 40): alone and role in {*CODE, None},
        ("shown below a colon", 50): alone and role is None and introduced and "use" in near,
        ("the subject begins with it", 20): reading.where == "subject" and role is None and candidate.start == 0,
        ("asked to enter it", 40): "use" in near,
        ("just this is to be entered", 40): entered,
        ("about identity near", 30): "about" in near and role not in NAMED,
        ("the subject asks for proof", 30): (alone or "use" in near) and context.asks_for_proof,
        ("letters and digits", -60): not candidate.is_digits and not entered and (label is None or not label.is_tight),
        ("like a coupon", -60): role not in NAMED and OFFER_LIKE.fullmatch(code) is not None,
        ("another number is named", -200): role in ("other", "offer"),
        ("it buys something", -150): role not in NAMED and ("offer" in near or context.offers),
        ("an offer is near", -100): role not in NAMED
        and offers_near(reading, candidate)
        and not context.is_about_identity,
        ("an amount", -200): is_amount(reading, candidate),
        ("not the reader's code", -60 if alone and len(code) == 6 else -90): role == "weak"
        and not is_the_readers(reading, candidate, label)
        and not context.is_about_identity,
        ("an example in quotes", -150): label is not None and is_example(reading, candidate, label),
        ("one of a list", -100): alone and is_in_a_list(reading, candidate),
        ("a discount is near", -100): role not in NAMED
        and not candidate.is_digits
        and is_discounted(reading, candidate),
        ("a year or a date", -150): _YEAR.fullmatch(code) is not None
        and not is_plainly_named(reading, candidate, label),
        ("like a telephone", -100): is_like_a_telephone(reading, candidate, label),
        ("a postal code", -100): is_postal(reading, candidate),
        ("the code is stale", -150): is_stale(reading, candidate, label),
    }
    matched = {name: points for (name, points), holds in rules.items() if holds}
    points = sum(matched.values())
    # These rules look at the whole message, so they are evaluated last and only when they decide.
    if (role in ("weak", "own") or entered) and ENOUGH - 20 <= points < ENOUGH and context.is_about_identity:
        points += 20
        matched["the message is about identity"] = 20
    is_shared = points >= ENOUGH and role != "named" and context.is_about_a_booking
    if is_shared and not _is_for_proof(reading, candidate, label, near, context):
        points -= 200
        matched["it is about a booking, a parcel or a payment"] = -200
    if points >= ENOUGH and reading.invites_to_a_meeting:
        points -= 200
        matched["it opens a meeting"] = -200
    word = "" if label is None else reading.text[label.hit.start : label.hit.end].replace("\n", " ")
    return ScoredCandidate(
        candidate,
        points,
        tuple(matched),
        word,
        reading.is_quoted(candidate),
        None if label is None else label.hit.start,
    )


def _is_for_proof(
    reading: AnalyzedText, candidate: Candidate, label: Label | None, near: set[str], context: MailContext
) -> bool:
    """Whether it is like "Use code 482913 to sign in", "your PIN to sign in", or "Enter this code" about that."""
    is_about_proof = "about" in near
    if is_about_proof and (label is None or is_the_readers(reading, candidate, label)):
        return True
    return (is_about_proof or context.speaks_of_proof) and is_asked_for(reading, candidate, label)
