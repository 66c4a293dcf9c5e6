"""
How much speaks for each candidate of a text, by its label and what else stands around it.

Each rule adds its points and its name; the table in `_scored` is all of them.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from kaisoumail.parsing.codes.candidates import Candidate
from kaisoumail.parsing.codes.labels import CODE, COPULAS, NAMED, OFFER_LIKE, Label, is_amount, labels_of
from kaisoumail.parsing.codes.reading import AFTER, BEFORE, Gap, Reading

ENOUGH: Final = 100
CLOSE: Final = 60
_NEAR: Final = 64
_OWNER: Final = 32  # how far "your" may stand before "code": "your Acme Cloud code"
_ASKED_WORDS: Final = 2  # "enter the following code"
_BOOKINGS: Final = 2  # one word of that kind stands in many a footer
_NEAR_ROLES: Final = {"enter": "use", "use": "use", "about": "about", "offer": "offer"}
_PROOF: Final = NAMED | {"about"}
_YEAR: Final = re.compile(r"(?:19|20)\d\d(?:(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))?", re.ASCII)
_QUOTES: Final = ('""', "“”", "„“", "«»", "「」", "『』", "‹›")
_QUOTED: Final = 120  # how far from it a quoted sentence may begin and end
_SPLIT_VERB: Final = (" ein.", " ein,", " ein ", " ein\n")  # German leaves the first part of "eingeben" to the end
_SPLIT_WORDS: Final = 6
_PARTICLE: Final = 3  # what may stand between a number and the verb behind it: 을
# "San Francisco, CA 94105", "4 place Carnot, 21000 Dijon"
_STATE_BEFORE: Final = re.compile(r"\b[A-Z]{2}\s\Z", re.ASCII)
_STREET_BEFORE: Final = re.compile(r"(?:[^\W\d_]|[0-9])[,;][ \n]\Z")
_TOWN_AFTER: Final = re.compile(r" [A-Z\u00c0-\u00de][a-z\u00df-\u00ff]+")


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its points, the rules that gave them, the word that labels it ("" if none) and its place."""

    candidate: Candidate
    points: int
    rules: tuple[str, ...]
    word: str = ""
    is_quoted: bool = False
    labelled_at: int | None = None


class Setting:
    """What the rest of the mail says; found out when first asked."""

    def __init__(self, subject: Reading, body: Reading) -> None:
        self._subject, self._body = subject, body

    @cached_property
    def asks_for_proof(self) -> bool:
        """Whether the subject asks who somebody is, and speaks of nothing else that has a number."""
        about = self._subject.roles_at_the_start
        return bool(about & _PROOF) and not about & {"other", "offer"}

    @cached_property
    def speaks_of_proof(self) -> bool:
        """Whether the subject has a word for it, whatever else it is about."""
        return bool(self._subject.roles_at_the_start & _PROOF)

    @cached_property
    def is_about_identity(self) -> bool:
        """Whether the subject or the first sentences are about proving who somebody is at all."""
        about = self._subject.roles_at_the_start
        return self.asks_for_proof or bool((about | self._body.roles_at_the_start) & _PROOF)

    @cached_property
    def is_about_a_booking(self) -> bool:
        """Whether it is about a booking, a parcel or a payment, whose numbers are called codes as well."""
        if self._subject.bookings_at_the_start:
            return True
        return not self.asks_for_proof and len(self._body.bookings_at_the_start) >= _BOOKINGS

    @cached_property
    def offers(self) -> bool:
        """Whether the subject is about a discount or another percentage, and not about proof."""
        about = self._subject.roles_at_the_start
        return ("offer" in about or "%" in self._subject.text) and not about & _PROOF


def scored(reading: Reading, setting: Setting) -> list[Scored]:
    """The candidates of *reading* with their points, in order; `ENOUGH` of them make a code."""
    if not reading.hits and not setting.asks_for_proof:
        return [Scored(candidate, 0, ()) for candidate in reading.candidates]
    labels = labels_of(reading)
    return [
        _scored(reading, candidate, label, setting) for candidate, label in zip(reading.candidates, labels, strict=True)
    ]


def _scored(reading: Reading, candidate: Candidate, label: Label | None, setting: Setting) -> Scored:
    code = candidate.code
    role = None if label is None else label.hit.role
    near = _near(reading, candidate)
    alone = reading.stands_alone(candidate)
    led_to = _is_led_to(reading, candidate)
    entered = role is None and _is_entered(reading, candidate)
    is_shown = candidate.is_digits or (led_to and "use" in near)
    shown_bare = role is None and alone and is_shown and setting.asks_for_proof
    if role not in CODE and not shown_bare and not near & {"use", "about"}:
        return Scored(candidate, 0, (), is_quoted=reading.is_quoted(candidate))
    facts = {
        ("digits", 30): candidate.is_digits,
        ("six digits", 10): candidate.is_digits and len(code) == 6,
        ("in the subject", 10): reading.where == "subject",
        ("named a code", 100): role in NAMED,
        ("called a code", 45): role in ("weak", "own"),
        ("the word leads to it", 60): label is not None and role in CODE and label.is_tight,
        ("the word is far", -40 if role in NAMED else -20): label is not None and role in CODE and not label.is_tight,
        ("said to be it", 30): role in NAMED and label is not None and not label.is_tight and led_to,
        ("alone on its line", 40): alone and role in {*CODE, None},
        ("shown below a colon", 50): alone and role is None and led_to and "use" in near,
        ("the subject begins with it", 20): reading.where == "subject" and role is None and candidate.start == 0,
        ("asked to enter it", 40): "use" in near,
        ("just this is to be entered", 40): entered,
        ("about identity near", 30): "about" in near and role not in NAMED,
        ("the subject asks for proof", 30): (alone or "use" in near) and setting.asks_for_proof,
        ("letters and digits", -60): not candidate.is_digits and not entered and (label is None or not label.is_tight),
        ("like a coupon", -60): role not in NAMED and OFFER_LIKE.fullmatch(code) is not None,
        ("another number is named", -200): role in ("other", "offer"),
        ("it buys something", -150): role not in NAMED and ("offer" in near or setting.offers),
        ("an offer is near", -100): role not in NAMED and _offers(reading, candidate) and not setting.is_about_identity,
        ("an amount", -200): is_amount(reading, candidate),
        ("nobody's code", -60 if alone and len(code) == 6 else -90): role == "weak"
        and not _is_the_readers(reading, candidate, label)
        and not setting.is_about_identity,
        ("an example in quotes", -150): label is not None and _is_example(reading, candidate, label),
        ("one of a list", -100): alone and _is_in_a_list(reading, candidate),
        ("a discount is near", -100): role not in NAMED
        and not candidate.is_digits
        and _is_discounted(reading, candidate),
        ("a year or a date", -150): _YEAR.fullmatch(code) is not None
        and not _is_plainly_named(reading, candidate, label),
        ("like a telephone", -100): _is_like_a_telephone(reading, candidate, label),
        ("a postal code", -100): _is_postal(reading, candidate),
        ("the code is stale", -150): _is_stale(reading, candidate, label),
    }
    rules = {name: points for (name, points), holds in facts.items() if holds}
    points = sum(rules.values())
    # Asked last and only when they decide: these are the questions about the whole mail.
    if (role in ("weak", "own") or entered) and ENOUGH - 20 <= points < ENOUGH and setting.is_about_identity:
        points += 20
        rules["the mail is about identity"] = 20
    is_shared = points >= ENOUGH and role != "named" and setting.is_about_a_booking
    if is_shared and not _is_asked_for_as_proof(reading, candidate, label, near, setting):
        points -= 200
        rules["it is about a booking, a parcel or a payment"] = -200
    if points >= ENOUGH and reading.invites_to_a_meeting:
        points -= 200
        rules["it opens a meeting"] = -200
    word = "" if label is None else reading.text[label.hit.start : label.hit.end].replace("\n", " ")
    return Scored(
        candidate, points, tuple(rules), word, reading.is_quoted(candidate), None if label is None else label.hit.start
    )


def _near(reading: Reading, candidate: Candidate) -> set[str]:
    """The roles of the words in the same sentence."""
    roles: set[str] = set()
    for hit in reading.hits_between(max(0, candidate.start - _NEAR), candidate.start):
        role = _NEAR_ROLES.get(hit.role)
        if role is not None and not Gap.between(reading, hit.end, candidate.start).ends_a_sentence:
            roles.add(role)
    for hit in reading.hits_between(candidate.end, min(len(reading.text), candidate.end + _NEAR)):
        gap = Gap.between(reading, candidate.end, hit.start)
        if gap.ends_a_sentence or gap.lines > 1:
            continue
        # A verb behind it is one of a language that ends with it: "661920 을(를) 입력하세요"
        role = _NEAR_ROLES.get(hit.role)
        if role in ("about", "offer") or (role == "use" and gap.words <= 2):
            roles.add(role)
    return roles


def _is_asked_for_as_proof(
    reading: Reading, candidate: Candidate, label: Label | None, near: set[str], setting: Setting
) -> bool:
    """ "Use code 482913 to sign in", "Enter this code" in a mail about that, "your PIN to sign in"."""
    is_about_proof = "about" in near
    if is_about_proof and (label is None or _is_the_readers(reading, candidate, label)):
        return True
    if "use" not in near or not (is_about_proof or setting.speaks_of_proof):
        return False
    start = candidate.start if label is None or label.follows else label.hit.start
    before = reading.hits_between(max(0, start - _OWNER), start)
    return any(
        hit.role in ("enter", "use") and Gap.between(reading, hit.end, start).words <= _ASKED_WORDS for hit in before
    )


def _is_the_readers(reading: Reading, candidate: Candidate, label: Label | None) -> bool:
    """ "Your code", "482913 is your Acme code"."""
    if label is None:
        return False
    start = candidate.end if label.follows else max(0, label.hit.start - _OWNER)
    for hit in reading.hits_between(start, max(label.hit.start, start)):
        gap = Gap.between(reading, hit.end, label.hit.start)
        if hit.role == "your" and not gap.ends_a_sentence:
            return True
    after = reading.hits_between(label.hit.end, min(len(reading.text), label.hit.end + _OWNER))
    return any(hit.role == "your" and Gap.between(reading, label.hit.end, hit.start).words == 0 for hit in after)


def _is_led_to(reading: Reading, candidate: Candidate) -> bool:
    """What stands right before it says that it comes now: "is", or a colon."""
    before = reading.text[max(0, candidate.start - 12) : candidate.start].rstrip()
    if before.endswith((":", "：")):
        return True
    words = before.lower().split()
    return len(words) > 1 and words[-1] in COPULAS


def _offers(reading: Reading, candidate: Candidate) -> bool:
    around = reading.hits_between(max(0, candidate.start - BEFORE), min(len(reading.text), candidate.end + AFTER))
    return any(hit.role == "offer" for hit in around)


def _is_plainly_named(reading: Reading, candidate: Candidate, label: Label | None) -> bool:
    """Next to nothing between the word and the year: "verification code is 2024"."""
    if label is None or label.hit.role not in CODE:
        return False
    between = reading.text[min(label.hit.end, candidate.end) : max(label.hit.start, candidate.start)]
    if label.gap.ends_a_sentence or any(letter in "©(" or letter.isdigit() for letter in between):
        return False
    words = between.replace(":", " ").lower().split()
    if len(words) > 1 or any(word[0].isalpha() and word not in COPULAS for word in words):
        return False
    return label.gap.lines == 0 or reading.stands_alone(candidate)


def _is_example(reading: Reading, candidate: Candidate, label: Label) -> bool:
    """The number and what it is called are quoted, as in mails that warn of fraud: "Your code is 482913"."""
    start, end = min(candidate.start, label.hit.start), max(candidate.end, label.hit.end)
    line = max(reading.text.rfind("\n", 0, start) + 1, start - _QUOTED)
    before = reading.text[line:start]
    after = reading.text[end : end + _QUOTED].partition("\n")[0]
    for opening, closing in _QUOTES:
        if opening == closing:
            is_open = before.count(opening) % 2 == 1
        else:
            is_open = before.rfind(opening) > before.rfind(closing)
        if is_open and closing in after:
            return True
    return False


def _is_entered(reading: Reading, candidate: Candidate) -> bool:
    """
    Just this is to be typed in, and not at a gate.

    "Enter 482913", "Tragen Sie bitte noch 40926 ein", "195283을 입력해 주세요".
    """
    is_split = reading.text.startswith(_SPLIT_VERB, candidate.end)
    words = _SPLIT_WORDS if is_split else 1
    for hit in reading.hits_between(max(0, candidate.start - _NEAR), candidate.start):
        gap = Gap.between(reading, hit.end, candidate.start)
        if hit.role == "enter" and gap.is_one_clause and gap.words <= words:
            return not reading.names_a_place_behind(candidate)
    for hit in reading.hits_between(candidate.end, min(len(reading.text), candidate.end + AFTER)):
        gap = Gap.between(reading, candidate.end, hit.start)
        if hit.role == "enter" and gap.lines == 0 and not gap.ends_a_sentence and gap.length <= _PARTICLE:
            return not reading.names_a_place_behind(candidate)
    return False


def _is_in_a_list(reading: Reading, candidate: Candidate) -> bool:
    """Another code stands alone on the line before or behind: backup codes come by the dozen."""
    return any(
        other.code != candidate.code
        and reading.text[min(other.end, candidate.end) : max(other.start, candidate.start)] == "\n"
        and reading.stands_alone(other)
        for other in reading.beside(candidate)
    )


def _is_discounted(reading: Reading, candidate: Candidate) -> bool:
    """A percentage is near, or in the subject."""
    return "%" in reading.text[max(0, candidate.start - _NEAR) : candidate.end + _NEAR]


def _is_like_a_telephone(reading: Reading, candidate: Candidate, label: Label | None) -> bool:
    """ "0800 1234" in a sentence."""
    if candidate.form != "grouped" or len(candidate.code) != 8 or candidate.code[0] != "0":
        return False
    return not reading.stands_alone(candidate) and (label is None or label.gap.words > 1)


def _is_postal(reading: Reading, candidate: Candidate) -> bool:
    if len(candidate.code) not in (4, 5):
        return False
    before = reading.text[max(0, candidate.start - 8) : candidate.start]
    if _STATE_BEFORE.search(before):
        return len(candidate.code) == 5
    return bool(_STREET_BEFORE.search(before) and _TOWN_AFTER.match(reading.text, candidate.end))


def _is_stale(reading: Reading, candidate: Candidate, label: Label | None) -> bool:
    """An old code, or one said to be expired: right before the word, between it and the number, or right behind."""
    start = candidate.start - 40 if label is None or label.follows else label.hit.start - 24
    for hit in reading.hits_between(max(0, start), min(len(reading.text), candidate.end + 40)):
        if hit.role != "stale":
            continue
        if hit.start >= candidate.end:
            gap = Gap.between(reading, candidate.end, hit.start)
            if gap.words <= (0 if gap.lines else 3) and not gap.ends_a_sentence:
                return True
        elif not Gap.between(reading, hit.end, candidate.start).ends_a_sentence:
            return True
    return False
