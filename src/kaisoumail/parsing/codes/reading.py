"""One text of a message, analyzed for codes: its candidates, the phrases around them, and the gaps between."""

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, NamedTuple

from kaisoumail.parsing.codes.candidates import Candidate, candidates_in
from kaisoumail.parsing.codes.folding import fold, normalize, normalize_letters, one_line
from kaisoumail.parsing.codes.words import BOOKINGS, CODES, MEETINGS, PLACES
from kaisoumail.parsing.codes.words.table import Hit

Where = Literal["subject", "text", "html"]

MAX_TEXT: Final = 64 * 1024
BEFORE: Final = 160  # characters from a phrase to the number after it at most
AFTER: Final = 80  # characters from a number to the phrase after it at most
_PLACE: Final = 48  # characters after a number in which a place may be named
_START: Final = 600  # characters in which a message names its topic
_SPACED_LETTER: Final = re.compile("[a-z\u00df-\u024f\u0370-\u052f]")
_REST_OF_A_WORD: Final = re.compile("[a-z\u00df-\u024f\u0370-\u052f]*+")
_SENTENCE_ENDS: Final = re.compile(r"[.!?;](?=\s|\Z)|[。！？；।؟]")
_FULL_LINE: Final = 50
_WORD: Final = re.compile(r"[^\W\d_]+")
# "On Monday Ada <ada@a.test> wrote:", "Am … schrieb Ada <…>:"; each part ends where the next begins: linear
_ATTRIBUTION: Final = re.compile(r"[<(][^\s<>()@]{1,64}+@[^\s<>()]{1,200}+[>)][^\n]{0,40}\Z")
_MAX_ATTRIBUTION: Final = 512
_MIN_RULE: Final = 10


@dataclass(frozen=True)
class AnalyzedText:
    """A text, as `normalize` returns it, and which part of the message it is."""

    where: Where
    text: str

    @classmethod
    def of(cls, where: Where, text: str) -> "AnalyzedText":
        """The first 64 Ki characters of *text*, as `normalize` returns them."""
        return cls(where, normalize(text, MAX_TEXT))

    @classmethod
    def of_shown(cls, html_text: str) -> "AnalyzedText":
        """The visible text of HTML, as `shown_and_hidden` returns it."""
        return cls("html", normalize_letters(html_text[:MAX_TEXT]))

    @cached_property
    def folded(self) -> str:
        """The text in which phrases are searched; each character has the same index as in `text`."""
        line = one_line(fold(self.text))
        return line if len(line) == len(self.text) else self.text

    @cached_property
    def candidates(self) -> list[Candidate]:
        return list(candidates_in(self.text))

    def beside(self, candidate: Candidate) -> list[Candidate]:
        """The candidates directly before and after *candidate*."""
        index = bisect_left(self.candidates, candidate.start, key=lambda each: each.start)
        return [*self.candidates[max(0, index - 1) : index], *self.candidates[index + 1 : index + 2]]

    @cached_property
    def hits(self) -> list[Hit]:
        """The phrases around the candidates, in order."""
        found: list[Hit] = []
        done = 0
        for candidate in self.candidates:
            start = self._skip_partial_word(max(done, candidate.start - BEFORE))
            end = self._end_of_word(candidate.end + AFTER)
            for hit in CODES.hits(self.folded, start, end):
                found.append(hit)
                done = hit.end
            done = max(done, end)
        return found

    @cached_property
    def _starts(self) -> list[int]:
        return [hit.start for hit in self.hits]

    def hits_between(self, start: int, end: int) -> list[Hit]:
        """The hits that lie entirely between *start* and *end*."""
        first = bisect_left(self._starts, start)
        last = bisect_left(self._starts, end, lo=first)
        return [hit for hit in self.hits[first:last] if hit.end <= end]

    def stands_alone(self, candidate: Candidate) -> bool:
        """Whether nothing else is on its line, as messages often show the code."""
        before = self.text[max(0, candidate.start - 12) : candidate.start].rpartition("\n")
        after = self.text[candidate.end : candidate.end + 12].partition("\n")
        is_first = bool(before[1]) or candidate.start <= 12
        is_last = bool(after[1]) or candidate.end + 12 >= len(self.text)
        rest = (before[2] if before[1] else before[0] + before[2]) + after[0]
        return (
            is_first and is_last and not any(letter.isalnum() for letter in rest.removesuffix("G-").removesuffix("FB-"))
        )

    @cached_property
    def quoted_from(self) -> int:
        """Where a quoted or forwarded message begins; the length of the text if there is none."""
        if "@" in self.text or "---" in self.text or "___" in self.text:
            start = 0
            for line in self.text.split("\n"):
                if _begins_a_quote(line):
                    return start
                start += len(line) + 1
        return len(self.text)

    def is_quoted(self, candidate: Candidate) -> bool:
        """Whether it is in a quoted older message."""
        line = self.text.rfind("\n", 0, candidate.start) + 1
        return candidate.start > self.quoted_from or self.text.startswith((">", "|", "&gt;"), line)

    @cached_property
    def roles_at_the_start(self) -> set[str]:
        """The roles of the phrases in the first sentences."""
        return CODES.roles(self.folded[:_START])

    @cached_property
    def bookings_at_the_start(self) -> set[str]:
        """The phrases in the first sentences that are about a booking, a parcel or a payment."""
        start = self.folded[:_START]
        return {start[hit.start : hit.end] for hit in BOOKINGS.hits(start)}

    def names_a_place_behind(self, candidate: Candidate) -> bool:
        """Whether its sentence then names a place for numbers that prove no identity, such as a lock or a search."""
        end = min(len(self.text), candidate.end + _PLACE)
        sentence = _SENTENCE_ENDS.search(self.text, candidate.end, end)
        return next(PLACES.hits(self.folded, candidate.end, sentence.start() if sentence else end), None) is not None

    @cached_property
    def invites_to_a_meeting(self) -> bool:
        """Whether it invites to a call: the passcode of one proves no identity."""
        return any(phrase in self.folded for phrase in MEETINGS)

    def _skip_partial_word(self, start: int) -> int:
        """*start*, or the end of the word it is inside of."""
        return self._end_of_word(start) if start and _SPACED_LETTER.match(self.folded, start - 1) else start

    def _end_of_word(self, end: int) -> int:
        """*end*, or the end of the word it is inside of: a word cut in two would match other phrases."""
        rest = _REST_OF_A_WORD.match(self.folded, min(end, len(self.folded)))
        assert rest is not None
        return rest.end()


def _begins_a_quote(line: str) -> bool:
    """Whether the line is like "-----Original Message-----", "______" or "Ada <ada@a.test> wrote:"."""
    if line.startswith("---"):
        return line.endswith("---") and 3 <= len(line.strip("-")) <= 60
    if line.startswith("___"):
        return len(line) >= _MIN_RULE and not line.strip("_")
    return line.endswith((":", "：")) and len(line) <= _MAX_ATTRIBUTION and _ATTRIBUTION.search(line) is not None


class Gap(NamedTuple):
    """The text between a phrase and a number; each property is computed on use."""

    text: str
    """The whole text of the `AnalyzedText`."""
    start: int
    end: int

    @classmethod
    def between(cls, reading: AnalyzedText, start: int, end: int) -> "Gap":
        return cls(reading.text, start, end)

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def words(self) -> int:
        return len(_WORD.findall(self.text, self.start, self.end))

    @property
    def lines(self) -> int:
        """How many line breaks it has."""
        return self.text.count("\n", self.start, self.end)

    @property
    def ends_a_sentence(self) -> bool:
        return _SENTENCE_ENDS.search(self.text, self.start, self.end) is not None

    @property
    def is_wrapped(self) -> bool:
        """Whether its only line break is where the line is full, not where a sentence ends."""
        first = self.text.rfind("\n", max(0, self.start - _FULL_LINE), self.start)
        return self.lines < 2 and self.text.find("\n", self.start, self.end) - first >= _FULL_LINE

    @property
    def is_narrow(self) -> bool:
        """Whether it is a few words of one sentence."""
        if self.length > 48 or self.lines > 1 or self.ends_a_sentence:
            return False
        return self.words <= (2 if self.text.find(", ", self.start, self.end) >= 0 else 5)

    @property
    def is_one_clause(self) -> bool:
        """Whether it is at most 110 characters, on one line or wrapped, without the end of a sentence."""
        return self.length <= 110 and (self.lines == 0 or self.is_wrapped) and not self.ends_a_sentence
