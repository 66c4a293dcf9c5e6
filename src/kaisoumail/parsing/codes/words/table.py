"""The table of a language's phrases around codes and links, and the finder for the phrases of all tables."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

from kaisoumail.parsing.codes.folding import fold, one_line

# Scripts that separate words by spaces: a phrase never begins inside a word of these.
_SPACED: Final = "a-z\u00df-\u024f\u0370-\u052f"
_SPACED_LETTER: Final = re.compile(f"[{_SPACED}]")
_ENDING: Final = re.compile(f"[{_SPACED}]*+")
# The beginning of a phrase: a word of these scripts, or any single letter of the others.
_BEGINNING: Final = re.compile(f"[{_SPACED}]+|[\u0590-\uffff]")
# A letter that forms a compound with the word after it; 用 ("for") and 桁 ("digits") do not.
_JOINED: Final = re.compile("(?![用桁])[\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]")
_STEM: Final = 3  # the letters a stem has at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """
    The phrases of one language by role, separated by commas, in any letter case, with or without accents.
    A `*` at the end matches any ending.

    For codes. *named*: names a verification code. *shared*: the same, but numbers of bookings, parcels and payments
    have this name as well. *weak*: may name one ("code" alone). *own*: the same, with a possessive ("your code").
    *your*: the possessive. *joint*: the weak ones that name another kind of number when a word is joined to them
    (受付番号). *about*: the message is about proof of identity. *enter*: asks to type something in. *use*: to use or
    copy it.
    *other*: names another kind of number. *offer*: the number buys something or opens a meeting. *stale*: the code is
    invalid or expired. *meeting*: the message invites to a call, whose passcode proves no identity. *booking*: it is
    about a booking, a parcel or a payment. *place*: where numbers are typed that prove no identity. *unit*: follows an
    amount.

    For links. *confirm*, *sign_in*, *reset*, *invite*: what following the link does. *never*: the purpose of other
    links.
    """

    named: str
    shared: str = ""
    weak: str = ""
    own: str = ""
    joint: str = ""
    your: str = ""
    about: str = ""
    enter: str = ""
    use: str = ""
    other: str = ""
    offer: str = ""
    stale: str = ""
    meeting: str = ""
    booking: str = ""
    place: str = ""
    unit: str = ""
    confirm: str = ""
    sign_in: str = ""
    reset: str = ""
    invite: str = ""
    never: str = ""

    @classmethod
    def union(cls, tables: Iterable["Words"]) -> "Words":
        """All *tables* as one."""
        every = list(tables)
        return cls(**{each.name: ", ".join(getattr(table, each.name) for table in every) for each in fields(cls)})


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase that was found: its *role*, and its place in the text including its ending."""

    role: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Phrase:
    text: str
    role: str
    is_whole: bool
    """It must end at the end of a word."""


_NO_PHRASES: Final[Mapping[str, Sequence[_Phrase]]] = {"": ()}


class Finder:
    """
    Finds the phrases of several roles at once, the longest first.

    They are looked up by their first word and the two letters after it: a hundred begin with "code". One regular
    expression for all of them would take seconds to compile.
    """

    def __init__(self, words: Words, roles: Iterable[str]) -> None:
        """A phrase with several of the *roles* counts for the first of them."""
        known: dict[tuple[str, bool], _Phrase] = {}
        for role in roles:
            for listed in phrases(getattr(words, role)):
                text = listed.removesuffix("*")
                is_whole = text == listed and _is_spaced(text[-1])
                known.setdefault((text, is_whole), _Phrase(text, role, is_whole))
        self._joint = frozenset(phrases(words.joint))
        # By their first word, and the two letters after it: "" if there are fewer.
        by_word: dict[str, dict[str, list[_Phrase]]] = {}
        self._stems: dict[str, list[_Phrase]] = {}  # by their first three letters
        for phrase in sorted(known.values(), key=lambda each: -len(each.text)):
            beginning = _BEGINNING.match(phrase.text)
            assert beginning is not None, phrase
            if not phrase.is_whole and beginning.end() == len(phrase.text) >= _STEM and _is_spaced(phrase.text):
                self._stems.setdefault(phrase.text[:_STEM], []).append(phrase)
            else:
                follows = _continuation(phrase.text, beginning.end())
                by_word.setdefault(beginning[0], {}).setdefault(follows if len(follows) == 2 else "", []).append(phrase)
        self._beginnings = {word: _with_short_ones(phrases) for word, phrases in by_word.items()}

    def hits(self, text: str, start: int = 0, end: int | None = None) -> Iterator[Hit]:
        """The phrases that begin between *start* and *end* of *text* (folded, one line), in order, without overlaps."""
        done = start
        for match in _BEGINNING.finditer(text, start, len(text) if end is None else end):
            word = match[0]
            if (word in self._beginnings or word[:_STEM] in self._stems) and match.start() >= done:
                phrase = self._phrase_at(text, match.start(), word)
                if phrase is not None:
                    done = match.start() + len(phrase.text)
                    if not phrase.is_whole and _is_spaced(phrase.text[-1]):
                        done = _ENDING.match(text, done).end()  # type: ignore[union-attr]
                    yield Hit(
                        "other" if self._is_joined(phrase, text, match.start()) else phrase.role, match.start(), done
                    )

    def _is_joined(self, phrase: _Phrase, text: str, start: int) -> bool:
        return phrase.text in self._joint and start > 0 and _JOINED.match(text, start - 1) is not None

    def roles(self, text: str) -> set[str]:
        """The roles of the phrases in *text* (folded, on one line)."""
        return {hit.role for hit in self.hits(text)}

    def _phrase_at(self, text: str, start: int, word: str) -> _Phrase | None:
        by_continuation = self._beginnings.get(word, _NO_PHRASES)
        for phrase in by_continuation.get(_continuation(text, start + len(word))) or by_continuation[""]:
            if text.startswith(phrase.text, start) and not (
                phrase.is_whole and _SPACED_LETTER.match(text, start + len(phrase.text))
            ):
                return phrase
        for phrase in self._stems.get(word[:_STEM], ()):
            if word.startswith(phrase.text):
                return phrase
        return None


def _continuation(text: str, end: int) -> str:
    """The two letters after the word that ends at *end*, and after the space."""
    begin = end + 1 if text.startswith(" ", end) else end
    return text[begin : begin + 2]


def _with_short_ones(phrases: Mapping[str, list[_Phrase]]) -> Mapping[str, Sequence[_Phrase]]:
    """*phrases* by continuation, each together with those under "", which are too short for one; the longest first."""
    short = phrases.get("", [])
    longer = {
        follows: sorted([*some, *short], key=lambda each: -len(each.text))
        for follows, some in phrases.items()
        if follows
    }
    return {"": short, **longer}


def phrases(listed: str) -> Iterator[str]:
    """The phrases in a field of `Words`, folded as the text is."""
    for phrase in one_line(fold(unicodedata.normalize("NFC", listed))).split(","):
        tidy = " ".join(phrase.split())
        if tidy:
            yield tidy


def _is_spaced(text: str) -> bool:
    return _SPACED_LETTER.match(text) is not None
