"""The verification code of a mail, or none: better none than a wrong one."""

from dataclasses import dataclass
from typing import Final, Literal

from kaisoumail.parsing.codes.candidates import candidates_in, tidy
from kaisoumail.parsing.codes.score import CLOSE, ENOUGH, Scored, is_about_identity, scored
from kaisoumail.parsing.html_text import text_of

_SNIPPET: Final = 24


@dataclass(frozen=True, slots=True)
class Code:
    """
    A code of 4 to 8 letters and digits, and the evidence for it.

    *snippet* is the text around it, *rules* name what spoke for and against it.
    """

    code: str
    source: Literal["subject", "body"]
    snippet: str
    points: int
    rules: tuple[str, ...]


def find_code(subject: str, text: str, html: str) -> Code | None:
    """
    The code, from the subject if one is there, else from the text, else from the HTML.

    None when nothing scores enough, or when two different candidates do nearly as well: a mail that
    lists two codes has no answer that is safe to copy. Letters keep their case.
    """
    tidy_subject, tidy_text = tidy(subject), tidy(text)
    about = is_about_identity(tidy_subject)
    found = _best(tidy_subject, in_subject=True, about=about)
    if found is not None:
        return _code(tidy_subject, found, "subject")
    for body in (tidy_text, tidy(text_of(html)) if html else ""):
        found = _best(body, in_subject=False, about=about or is_about_identity(body))
        if found is not None:
            return _code(body, found, "body")
    return None


def _best(text: str, *, in_subject: bool, about: bool) -> Scored | None:
    ranked = sorted(
        (scored(text, each, in_subject=in_subject, mail_is_about_identity=about) for each in candidates_in(text)),
        key=lambda each: -each.points,
    )
    if not ranked or ranked[0].points < ENOUGH:
        return None
    best = ranked[0]
    rival = next((each for each in ranked if each.candidate.code != best.candidate.code), None)
    return None if rival is not None and best.points - rival.points < CLOSE and rival.points >= ENOUGH else best


def _code(text: str, best: Scored, source: Literal["subject", "body"]) -> Code:
    candidate = best.candidate
    snippet = text[max(0, candidate.start - _SNIPPET) : candidate.end + _SNIPPET]
    return Code(candidate.code, source, snippet, best.points, best.rules)
