"""What a language says around codes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """
    Alternatives of regular expressions, matched in any letter case.

    *named*: names a verification code. *weak*: may name one ("code" alone). *about*: the mail is about
    proving who somebody is. *is_*: stands between the name and the code. *use*: asks to enter the code.
    *other*: names another kind of number. *offer*: the number buys something. *stale*: the code is none.
    """

    named: tuple[str, ...]
    weak: tuple[str, ...]
    about: tuple[str, ...]
    is_: tuple[str, ...]
    use: tuple[str, ...]
    other: tuple[str, ...]
    offer: tuple[str, ...]
    stale: tuple[str, ...]

    @classmethod
    def joined(cls, tables: Iterable["Words"]) -> "Words":
        """All *tables* as one."""
        every = list(tables)
        return cls(*(tuple(word for table in every for word in getattr(table, name)) for name in cls.__slots__))


def any_of(words: Iterable[str]) -> str:
    r"""
    One regular expression for any of *words*, the longest first.

    Those that begin a word (`\b`) share that test, and Chinese ones a look at the first character, so
    that nearly everywhere none of them is tried.
    """
    ordered = sorted(words, key=len, reverse=True)
    bounded = [word[2:] for word in ordered if word.startswith(r"\b")]
    unbounded = [word for word in ordered if not word.startswith(r"\b")]
    together = [rf"\b(?:{'|'.join(bounded)})"] if bounded else []
    if unbounded and all(word[0].isalnum() and not word[0].isascii() for word in unbounded):
        first = "".join(sorted({word[0] for word in unbounded}))
        unbounded = [rf"(?=[{first}])(?:{'|'.join(unbounded)})"]
    return f"(?:{'|'.join([*together, *unbounded])})"


def compiled(expression: str) -> re.Pattern[str]:
    """ASCII classes on purpose: between 码 and 8 there must be no word boundary to miss."""
    return re.compile(expression, re.ASCII | re.IGNORECASE)
