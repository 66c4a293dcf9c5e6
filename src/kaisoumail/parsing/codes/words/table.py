"""What a language says around codes and links, and the one expression that finds all of it."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

from kaisoumail.parsing.codes.folding import folded, one_line

# Scripts that put spaces between words: a word of theirs is not looked for inside another.
_SPACED: Final = "a-z\u00df-\u024f\u0370-\u052f"
_SPACED_LETTER: Final = re.compile(f"[{_SPACED}]")
_ENDING: Final = re.compile(f"[{_SPACED}]*+")
# What a phrase may begin with: a word of those, or any letter of the others.
_BEGINNING: Final = re.compile(f"[{_SPACED}]+|[\u0590-\uffff]")
# What makes a word of one behind it; "for" and "digits" do not.
_JOINED: Final = re.compile("(?![用桁])[\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]")
_STEM: Final = 3  # the letters a stem has at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """
    Phrases divided by commas, in any letter case, accents or not; `*` at the end stands for any ending.

    For codes. *named*: names a verification code. *shared*: the same, but bookings, parcels and payments have numbers
    that are called so as well. *weak*: may name one ("code" alone), *own*: the same, said of the reader's
    ("your code"), *your*: the word for that. *joint*: the weak ones that name another kind of number when a word is
    joined to them (受付番号). *about*: the mail is about proving who somebody is. *enter*: asks to
    type something in, *use*: to use or copy it.
    *other*: names another kind of number. *offer*: the number buys something or opens a meeting. *stale*: the code is
    none, or no longer. *meeting*: the mail invites to a call, whose passcode proves nobody. *booking*: it is about a
    booking, a parcel or a payment. *place*: where numbers are typed that prove nobody. *unit*: stands behind an amount.

    For links. *confirm*, *sign_in*, *reset*, *invite*: what following the link does. *never*: what links
    beside that are for.
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
    """A phrase of a table, by its role, and where it stands with its ending."""

    role: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Phrase:
    text: str
    role: str
    is_whole: bool
    """It ends where a word ends."""


_NOTHING: Final[Mapping[str, Sequence[_Phrase]]] = {"": ()}


class Finder:
    """
    Finds the phrases of several roles at once, the longest first.

    Looked up by the word they begin with and the two letters behind it: a hundred begin with "code", and one regular
    expression for all of them would take seconds to compile.
    """

    def __init__(self, words: Words, roles: Iterable[str]) -> None:
        """When two roles claim a phrase, the earlier one has it."""
        known: dict[tuple[str, bool], _Phrase] = {}
        for role in roles:
            for listed in phrases(getattr(words, role)):
                text = listed.removesuffix("*")
                is_whole = text == listed and _is_spaced(text[-1])
                known.setdefault((text, is_whole), _Phrase(text, role, is_whole))
        self._joint = frozenset(phrases(words.joint))
        # By their first word, and what follows that: "" if next to nothing.
        begun: dict[str, dict[str, list[_Phrase]]] = {}
        self._stems: dict[str, list[_Phrase]] = {}  # by their first three letters
        for phrase in sorted(known.values(), key=lambda each: -len(each.text)):
            beginning = _BEGINNING.match(phrase.text)
            assert beginning is not None, phrase
            if not phrase.is_whole and beginning.end() == len(phrase.text) >= _STEM and _is_spaced(phrase.text):
                self._stems.setdefault(phrase.text[:_STEM], []).append(phrase)
            else:
                follows = _following(phrase.text, beginning.end())
                begun.setdefault(beginning[0], {}).setdefault(follows if len(follows) == 2 else "", []).append(phrase)
        self._beginnings = {word: _with_the_short(phrases) for word, phrases in begun.items()}

    def hits(self, text: str, start: int = 0, end: int | None = None) -> Iterator[Hit]:
        """The phrases that begin in that part of *text* (`one_line` of folded), in order, none inside another."""
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
        """The roles of the phrases in *text* (`one_line` of folded)."""
        return {hit.role for hit in self.hits(text)}

    def _phrase_at(self, text: str, start: int, word: str) -> _Phrase | None:
        begun = self._beginnings.get(word, _NOTHING)
        for phrase in begun.get(_following(text, start + len(word))) or begun[""]:
            if text.startswith(phrase.text, start) and not (
                phrase.is_whole and _SPACED_LETTER.match(text, start + len(phrase.text))
            ):
                return phrase
        for phrase in self._stems.get(word[:_STEM], ()):
            if word.startswith(phrase.text):
                return phrase
        return None


def _following(text: str, end: int) -> str:
    """The two letters behind a word that ends there, and behind the space."""
    begin = end + 1 if text.startswith(" ", end) else end
    return text[begin : begin + 2]


def _with_the_short(phrases: Mapping[str, list[_Phrase]]) -> Mapping[str, Sequence[_Phrase]]:
    """Those with each continuation, together with those that go on with next to nothing; the longest first."""
    short = phrases.get("", [])
    longer = {
        follows: sorted([*some, *short], key=lambda each: -len(each.text))
        for follows, some in phrases.items()
        if follows
    }
    return {"": short, **longer}


def phrases(listed: str) -> Iterator[str]:
    """The phrases of a field, as they are compared."""
    for phrase in one_line(folded(unicodedata.normalize("NFC", listed))).split(","):
        tidy = " ".join(phrase.split())
        if tidy:
            yield tidy


def _is_spaced(text: str) -> bool:
    return _SPACED_LETTER.match(text) is not None
