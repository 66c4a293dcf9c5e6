"""
The label of each candidate of a text: the nearest phrase before the number ("order 123456"), or the first one after it
("123456 is your login code"). A phrase labels one number only.
"""

import re
from dataclasses import dataclass
from typing import Final

from kaisoumail.parsing.codes.candidates import Candidate
from kaisoumail.parsing.codes.reading import AFTER, BEFORE, AnalyzedText, Gap
from kaisoumail.parsing.codes.words.table import Hit

NAMED: Final = frozenset(("named", "shared"))
CODE: Final = NAMED | {"own", "weak"}
_LABELS: Final = CODE | {"other", "offer"}
_JOINED: Final = 8  # characters between two numbers: in "123456 and 654321" both have the label of the first
_PUNCTUATION: Final = re.compile(r"[:,;]")
COPULAS: Final = frozenset(
    "is ist lautet est es e è é är er on to je este adalah là ialah είναι هو है 는 은 は 是 为 為 คือ это".split()
)
OFFER_LIKE: Final = re.compile(r"[A-Za-z]{4,7}[0-9]{1,4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Label:
    """The phrase that labels a number, and the gap between the two."""

    hit: Hit
    gap: Gap
    follows: bool = False
    is_shown: bool = False
    """The number is alone on a line below the phrase."""

    @property
    def is_tight(self) -> bool:
        """Whether nothing but a narrow gap, or a line break before a number alone on its line, is between the two."""
        return self.gap.is_narrow or self.is_shown


def labels_of(reading: AnalyzedText) -> list[Label | None]:
    """The label of each candidate: the nearest before it that is not used by another, else the first after it."""
    used: set[int] = set()
    labels: list[Label | None] = []
    previous: Candidate | None = None
    for candidate in reading.candidates:
        if is_amount(reading, candidate):
            labels.append(None)
            continue
        if previous is not None and _are_joined(reading, previous, candidate):
            label = labels[-1]
        else:
            label = _leading(reading, candidate, used)
        if label is not None:
            used.add(label.hit.start)
        labels.append(label)
        previous = candidate
    for index, candidate in enumerate(reading.candidates):
        leading = labels[index]
        if leading is None or not leading.is_tight:
            following = _following(reading, candidate, used)
            if following is not None:
                used.add(following.hit.start)
                labels[index] = following
    return labels


def is_amount(reading: AnalyzedText, candidate: Candidate) -> bool:
    """Whether a unit directly follows it."""
    for hit in reading.hits_between(candidate.end, min(len(reading.text), candidate.end + AFTER)):
        return hit.role == "unit" and hit.start <= candidate.end + 1 and reading.text[candidate.end] != "\n"
    return False


def _are_joined(reading: AnalyzedText, left: Candidate, right: Candidate) -> bool:
    between = reading.text[left.end : right.start]
    if len(between) > _JOINED or "\n" in between or reading.hits_between(left.end, right.start):
        return False
    return COPULAS.isdisjoint(between.lower().split())  # "order 123456 is 654321" is no list


def _leading(reading: AnalyzedText, candidate: Candidate, used: set[int]) -> Label | None:
    hits = [
        hit
        for hit in reading.hits_between(max(0, candidate.start - BEFORE), candidate.start)
        if hit.role in _LABELS and hit.start not in used
    ]
    if not hits:
        return None
    alone = reading.stands_alone(candidate)
    for index in range(len(hits) - 1, -1, -1):
        hit = hits[index]
        gap = Gap.between(reading, hit.end, candidate.start)
        if hit.role in ("other", "offer"):
            label = Label(hit, gap)
            if _names_another(reading, label, candidate) and not _belongs_to_a_code(reading, hits, index, gap):
                return label
        elif candidate.form == "keyed" and hit.role not in NAMED:
            return None
        elif gap.is_narrow or (alone and gap.lines <= 3):
            return Label(hit, gap, is_shown=alone and not gap.is_narrow)
        elif gap.is_one_clause:
            return Label(hit, gap)
        else:
            return None
    return None


def _names_another(reading: AnalyzedText, label: Label, candidate: Candidate) -> bool:
    """Whether at most two words are between the label and the number: "order no. 123456"."""
    gap = label.gap
    between = reading.text[label.hit.end : candidate.start]
    if any(letter.isdigit() or letter in ",，、;" for letter in between):
        return False
    return gap.words <= 2 and gap.lines <= 1 and gap.length <= 24 and (not gap.ends_a_sentence or gap.length <= 3)


def _belongs_to_a_code(reading: AnalyzedText, hits: list[Hit], index: int, gap: Gap) -> bool:
    """Whether the phrase belongs to a code before it: in "The code for your account: 482913" the number is the code."""
    between = reading.text[hits[index].end : hits[index].end + gap.length]
    if index == 0 or not (gap.words or gap.lines or ":" in between or "：" in between):
        return False
    earlier = hits[index - 1]
    gap_before = Gap.between(reading, earlier.end, hits[index].start)
    return earlier.role in CODE and gap_before.lines == 0 and gap_before.is_narrow and gap_before.words > 0


def _following(reading: AnalyzedText, candidate: Candidate, used: set[int]) -> Label | None:
    if candidate.form == "keyed":
        return None  # `PROJ-4821: login code is not sent`
    for hit in reading.hits_between(candidate.end, min(len(reading.text), candidate.end + AFTER)):
        if hit.role not in _LABELS:
            continue
        gap = Gap.between(reading, candidate.end, hit.start)
        between = reading.text[candidate.end : hit.start]
        if hit.role in CODE and hit.start not in used and gap.is_narrow and not _has_digit(between):
            if gap.words == 0 and OFFER_LIKE.fullmatch(candidate.code):
                return None  # "Area51 login code"
            is_short = len(candidate.code) < 5 and hit.role not in NAMED
            return None if is_short and _PUNCTUATION.search(between) else Label(hit, gap, follows=True)
        return None
    return None


def _has_digit(text: str) -> bool:
    return any(letter.isdigit() for letter in text)
