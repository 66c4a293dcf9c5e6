"""The verification code of a mail, or none: better none than a wrong one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from kaisoumail.parsing.codes.candidates import candidates_in, tidy
from kaisoumail.parsing.codes.score import CLOSE, ENOUGH, Scored, Setting, scored
from kaisoumail.parsing.html_text import text_of

_SNIPPET: Final = 24


@dataclass(frozen=True, slots=True)
class Code:
    """
    A code of 4 to 8 letters and digits, and the evidence for it.

    *snippet* is the text around it, *span* where it stands in that (with its separators, if it had any),
    *rules* name what spoke for and against it.
    """

    code: str
    source: Literal["subject", "body"]
    snippet: str
    points: int
    rules: tuple[str, ...]
    span: tuple[int, int]
    method: Literal["rules"] = "rules"


def find_code(subject: str | None, text: str | None, html: str | None) -> Code | None:
    """
    The code, from the subject if one is there, else from the text, else from the HTML.

    None when nothing scores enough, or when two different candidates do nearly as well: a mail that
    lists two codes has no answer that is safe to copy. Letters keep their case.
    """
    tidy_subject = tidy(subject or "")
    found = _best(tidy_subject, Setting(tidy_subject, tidy_subject))
    if found is not None:
        return _code(tidy_subject, found, "subject")
    for lines in _bodies(text, html):
        body = tidy(lines)
        found = _best(body, Setting(tidy_subject, body, lines))
        if found is not None:
            return _code(body, found, "body")
    return None


def _bodies(text: str | None, html: str | None) -> Iterator[str]:
    """The text and what the HTML shows, which is read only when the text had no answer."""
    if text:
        yield text
    shown = text_of(html) if html else ""
    if shown and shown != text:
        yield shown


def _best(text: str, setting: Setting) -> Scored | None:
    ranked = sorted((scored(text, each, setting) for each in candidates_in(text)), key=lambda each: -each.points)
    if not ranked or ranked[0].points < ENOUGH:
        return None
    best = ranked[0]
    rival = next((each for each in ranked if each.candidate.code != best.candidate.code), None)
    return None if rival is not None and best.points - rival.points < CLOSE and rival.points >= ENOUGH else best


def _code(text: str, best: Scored, source: Literal["subject", "body"]) -> Code:
    candidate = best.candidate
    begin = max(0, candidate.start - _SNIPPET)
    snippet = text[begin : candidate.end + _SNIPPET]
    span = (candidate.start - begin, candidate.end - begin)
    return Code(candidate.code, source, snippet, best.points, best.rules, span)
