"""
The phrases that mark a number as a code or as none, and a link as one to follow: one table for each language.

A table is a `Words`; `CODES` and `LINKS` find the phrases of all languages at once. To add a language, add its file and
its name here.
"""

from typing import Final

from kaisoumail.parsing.codes.words import (
    arabic,
    bulgarian,
    chinese,
    croatian,
    czech,
    dutch,
    english,
    finnish,
    french,
    german,
    greek,
    hebrew,
    hindi,
    hungarian,
    indonesian,
    italian,
    japanese,
    korean,
    lithuanian,
    persian,
    polish,
    portuguese,
    romanian,
    russian,
    spanish,
    swedish,
    thai,
    turkish,
    ukrainian,
    vietnamese,
)
from kaisoumail.parsing.codes.words.table import Finder, Words, phrases

_ALL: Final = Words.union(
    language.WORDS
    for language in (
        arabic,
        bulgarian,
        chinese,
        croatian,
        czech,
        dutch,
        english,
        finnish,
        french,
        german,
        greek,
        hebrew,
        hindi,
        hungarian,
        indonesian,
        italian,
        japanese,
        korean,
        lithuanian,
        persian,
        polish,
        portuguese,
        romanian,
        russian,
        spanish,
        swedish,
        thai,
        turkish,
        ukrainian,
        vietnamese,
    )
)
CODES: Final = Finder(
    _ALL, ("named", "shared", "other", "offer", "stale", "unit", "own", "weak", "enter", "use", "about", "your")
)
LINKS: Final = Finder(_ALL, ("never", "invite", "reset", "confirm", "sign_in"))
BOOKINGS: Final = Finder(_ALL, ("booking",))
PLACES: Final = Finder(_ALL, ("place",))
MEETINGS: Final = tuple(phrases(_ALL.meeting))
