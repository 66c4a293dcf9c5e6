"""
Predicates about one candidate and the text around it; `score.py` assigns points to them.
"""

import re
from typing import Final

from kaisoumail.parsing.codes.candidates import Candidate
from kaisoumail.parsing.codes.labels import CODE, COPULAS, Label
from kaisoumail.parsing.codes.reading import AFTER, BEFORE, AnalyzedText, Gap

_NEAR: Final = 64
_OWNER: Final = 32  # characters from "your" to "code" at most: "your Acme Cloud code"
_NEAR_ROLES: Final = {"enter": "use", "use": "use", "about": "about", "offer": "offer"}
_ASKED_WORDS: Final = 2  # words between verb and label: "enter the following code"
_QUOTES: Final = ('""', "“”", "„“", "«»", "「」", "『』", "‹›")
_QUOTED: Final = 120  # characters from the candidate to the begin and end of a quoted sentence at most
_SPLIT_VERB: Final = (" ein.", " ein,", " ein ", " ein\n")  # German: the prefix of "eingeben" ends the clause
_SPLIT_WORDS: Final = 6
_PARTICLE: Final = 3  # characters between a number and the verb that follows: 을
# "San Francisco, CA 94105", "4 place Carnot, 21000 Dijon"
_STATE_BEFORE: Final = re.compile(r"\b[A-Z]{2}\s\Z", re.ASCII)
_STREET_BEFORE: Final = re.compile(r"(?:[^\W\d_]|[0-9])[,;][ \n]\Z")
_TOWN_AFTER: Final = re.compile(r" [A-Z\u00c0-\u00de][a-z\u00df-\u00ff]+")


def roles_near(reading: AnalyzedText, candidate: Candidate) -> set[str]:
    """The roles "use", "about" and "offer" of the words near the candidate in the same sentence."""
    roles: set[str] = set()
    for hit in reading.hits_between(max(0, candidate.start - _NEAR), candidate.start):
        role = _NEAR_ROLES.get(hit.role)
        if role is not None and not Gap.between(reading, hit.end, candidate.start).ends_a_sentence:
            roles.add(role)
    for hit in reading.hits_between(candidate.end, min(len(reading.text), candidate.end + _NEAR)):
        gap = Gap.between(reading, candidate.end, hit.start)
        if gap.ends_a_sentence or gap.lines > 1:
            continue
        # A verb after the number is from a language with the verb at the end: "661920 을(를) 입력하세요"
        role = _NEAR_ROLES.get(hit.role)
        if role in ("about", "offer") or (role == "use" and gap.words <= 2):
            roles.add(role)
    return roles


def is_asked_for(reading: AnalyzedText, candidate: Candidate, label: Label | None) -> bool:
    """Whether a verb directly precedes the number or its label: "enter 482913", "use the following code: 482913"."""
    start = candidate.start if label is None or label.follows else label.hit.start
    return any(
        hit.role in ("enter", "use") and Gap.between(reading, hit.end, start).words <= _ASKED_WORDS
        for hit in reading.hits_between(max(0, start - _OWNER), start)
    )


def is_the_readers(reading: AnalyzedText, candidate: Candidate, label: Label | None) -> bool:
    """Whether the label has a possessive: "Your code", "482913 is your Acme code"."""
    if label is None:
        return False
    start = candidate.end if label.follows else max(0, label.hit.start - _OWNER)
    for hit in reading.hits_between(start, max(label.hit.start, start)):
        gap = Gap.between(reading, hit.end, label.hit.start)
        if hit.role == "your" and not gap.ends_a_sentence:
            return True
    after = reading.hits_between(label.hit.end, min(len(reading.text), label.hit.end + _OWNER))
    return any(hit.role == "your" and Gap.between(reading, label.hit.end, hit.start).words == 0 for hit in after)


def is_led_to(reading: AnalyzedText, candidate: Candidate) -> bool:
    """Whether a copula ("is") or a colon directly precedes it."""
    before = reading.text[max(0, candidate.start - 12) : candidate.start].rstrip()
    if before.endswith((":", "：")):
        return True
    words = before.lower().split()
    return len(words) > 1 and words[-1] in COPULAS


def offers_near(reading: AnalyzedText, candidate: Candidate) -> bool:
    """Whether a word of an offer is near, in any sentence."""
    around = reading.hits_between(max(0, candidate.start - BEFORE), min(len(reading.text), candidate.end + AFTER))
    return any(hit.role == "offer" for hit in around)


def is_plainly_named(reading: AnalyzedText, candidate: Candidate, label: Label | None) -> bool:
    """Whether at most a copula is between the label and a number like a year: "verification code is 2024"."""
    if label is None or label.hit.role not in CODE:
        return False
    between = reading.text[min(label.hit.end, candidate.end) : max(label.hit.start, candidate.start)]
    if label.gap.ends_a_sentence or any(letter in "©(" or letter.isdigit() for letter in between):
        return False
    words = between.replace(":", " ").lower().split()
    if len(words) > 1 or any(word[0].isalpha() and word not in COPULAS for word in words):
        return False
    return label.gap.lines == 0 or reading.stands_alone(candidate)


def is_example(reading: AnalyzedText, candidate: Candidate, label: Label) -> bool:
    """Whether number and label are in quotation marks, as in warnings of fraud: "Your code is 482913"."""
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


def is_entered(reading: AnalyzedText, candidate: Candidate) -> bool:
    """
    Whether exactly this is to be typed in, and not into a keypad, a lock or a search.

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


def is_in_a_list(reading: AnalyzedText, candidate: Candidate) -> bool:
    """Whether another code is alone on the line before or after it: backup codes come in lists."""
    return any(
        other.code != candidate.code
        and reading.text[min(other.end, candidate.end) : max(other.start, candidate.start)] == "\n"
        and reading.stands_alone(other)
        for other in reading.beside(candidate)
    )


def is_discounted(reading: AnalyzedText, candidate: Candidate) -> bool:
    """Whether a percent sign is near."""
    return "%" in reading.text[max(0, candidate.start - _NEAR) : candidate.end + _NEAR]


def is_like_a_telephone(reading: AnalyzedText, candidate: Candidate, label: Label | None) -> bool:
    """Whether it is like "0800 1234" in a sentence."""
    if candidate.form != "grouped" or len(candidate.code) != 8 or candidate.code[0] != "0":
        return False
    return not reading.stands_alone(candidate) and (label is None or label.gap.words > 1)


def is_postal(reading: AnalyzedText, candidate: Candidate) -> bool:
    """Whether it is a postal code between the parts of an address."""
    if len(candidate.code) not in (4, 5):
        return False
    before = reading.text[max(0, candidate.start - 8) : candidate.start]
    if _STATE_BEFORE.search(before):
        return len(candidate.code) == 5
    return bool(_STREET_BEFORE.search(before) and _TOWN_AFTER.match(reading.text, candidate.end))


def is_stale(reading: AnalyzedText, candidate: Candidate, label: Label | None) -> bool:
    """Whether a word such as "old" or "expired" precedes the label, or the number, or directly follows the number."""
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
