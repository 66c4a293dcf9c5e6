"""The verification code of a mail, or none: better none than a wrong one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from kaisoumail.model.code import Doubt
from kaisoumail.parsing.codes.candidates import Candidate
from kaisoumail.parsing.codes.reading import AnalyzedText, Where
from kaisoumail.parsing.codes.score import CLOSE, ENOUGH, MailContext, ScoredCandidate, scored
from kaisoumail.parsing.html_text import shown_and_hidden

MAX_EVIDENCE: Final = 120
MAX_WORD: Final = 64
_AROUND: Final = 50
MAX_DOUBTS: Final = 8
_DOUBT: Final = ENOUGH // 2  # points from which on something speaks for it
_CERTAIN: Final = 200  # points beyond which more do not make it surer


Source = Literal["subject", "body"]


def source_of(where: Where) -> Source:
    """Where a code stood, in the words of the API."""
    return "subject" if where == "subject" else "body"


@dataclass(frozen=True, slots=True)
class FoundCode:
    """
    A code of 4 to 8 letters and digits, and the evidence for it.

    *evidence* is the text around it on one line, at most 120 characters, *span* where it stands in that (with
    its separators, if it had any); *word* is what called it a code ("" if nothing did), at most 64 characters;
    *rules* name what spoke for and against it; *confidence* is from 0 to 1.
    """

    code: str
    where: Where
    evidence: str
    span: tuple[int, int]
    word: str
    points: int
    rules: tuple[str, ...]
    confidence: float
    method: Literal["rules"] = "rules"

    @property
    def source(self) -> Source:
        return source_of(self.where)


@dataclass(frozen=True, slots=True)
class ExaminedCandidate:
    """A candidate of *reading* as it was judged. *lost* says why it is not the code, "" for the winner."""

    reading: AnalyzedText
    scored: ScoredCandidate
    lost: str

    @property
    def where(self) -> Where:
        return self.reading.where


@dataclass(frozen=True, slots=True)
class Decision:
    """The code, if there is one, and every candidate that was looked at on the way."""

    found: FoundCode | None
    examined: tuple[ExaminedCandidate, ...]

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """What may be the code where none was found: each once, in the order of the mail, at most `MAX_DOUBTS`."""
        if self.found is not None:
            return ()
        doubts: dict[str, Doubt] = {}
        for each in self.examined:
            if each.scored.points >= _DOUBT:
                candidate, word = each.scored.candidate, each.scored.word[:MAX_WORD] or None
                evidence = _around(each.reading, candidate)[0]
                doubts.setdefault(candidate.code, Doubt(candidate.code, source_of(each.where), evidence, word))
        return tuple(doubts.values())[:MAX_DOUBTS]

    def __str__(self) -> str:
        lines = [
            f"{each.where:8}{each.scored.candidate.code:10}{each.scored.points:5}  {each.lost or 'the code'}"
            f"  [{', '.join(each.scored.rules)}]"
            for each in self.examined
        ]
        return "\n".join(lines) or "no candidates"


def find_code(subject: str | None, text: str | None, html: str | None) -> FoundCode | None:
    """
    The code, from the subject if one is there, else from the text, else from the HTML.

    None when nothing scores enough, or when two different candidates do nearly as well: a mail that
    lists two codes has no answer that is safe to copy. Letters keep their case. Never raises.
    """
    return decided(subject, text, html).found


def decided(subject: str | None, text: str | None, html: str | None) -> Decision:
    """As `find_code`, with every candidate it looked at; printing it shows the reasons."""
    head = AnalyzedText.of("subject", subject or "")
    examined: list[ExaminedCandidate] = []
    for reading, preheader in _readings(head, text, html):
        if not reading.candidates:
            continue
        ranked = scored(reading, MailContext(head, reading))
        best = _best(ranked, preheader)
        examined += [ExaminedCandidate(reading, each, _lost(each, best)) for each in ranked]
        if best is not None:
            return Decision(_found_code(reading, best, ranked), tuple(examined))
    return Decision(None, tuple(examined))


def _readings(head: AnalyzedText, text: str | None, html: str | None) -> Iterator[tuple[AnalyzedText, str]]:
    """The texts in the order they are believed, each with what the mail shows only in lists."""
    yield head, ""
    body = AnalyzedText.of("text", text) if text else None
    if body is not None:
        yield body, ""
    if html:
        shown, hidden = shown_and_hidden(html)
        if body is None or shown != body.text:
            yield AnalyzedText.of_shown(shown), hidden


def _best(ranked: list[ScoredCandidate], preheader: str) -> ScoredCandidate | None:
    """
    The one that is enough and clearly ahead. An older mail quoted below counts only if nothing above does; of two
    that are close, the one that the preheader repeats.
    """
    enough = [each for each in ranked if each.points >= ENOUGH]
    enough = [each for each in enough if not each.is_quoted] or enough
    if not enough:
        return None
    best = max(enough, key=lambda each: each.points)
    rivals = [each for each in enough if each.candidate.code != best.candidate.code and _is_close(each, best)]
    if not rivals:
        return best
    repeated = [each for each in (best, *rivals) if preheader and each.candidate.code in preheader]
    return repeated[0] if len({each.candidate.code for each in repeated}) == 1 else None


def _is_close(rival: ScoredCandidate, best: ScoredCandidate) -> bool:
    """Nearly as good, or called a code by the very same word: "your codes are 551177 and 662288"."""
    shares_the_word = rival.labelled_at is not None and rival.labelled_at == best.labelled_at
    return shares_the_word or best.points - rival.points < CLOSE


def _lost(each: ScoredCandidate, best: ScoredCandidate | None) -> str:
    if best is not None and each.candidate.code == best.candidate.code:
        return ""
    if each.points < ENOUGH:
        return "too little speaks for it"
    if best is None:
        return "another does nearly as well"
    return "quoted from an older mail" if each.is_quoted else "another does better"


def _found_code(reading: AnalyzedText, best: ScoredCandidate, ranked: list[ScoredCandidate]) -> FoundCode:
    candidate = best.candidate
    evidence, begin = _around(reading, candidate)
    span = (candidate.start - begin, candidate.end - begin)
    others = [each.points for each in ranked if each.candidate.code != candidate.code]
    ahead = best.points - max(others, default=0)
    sure = 0.6 + 0.39 * min(1.0, min(best.points - ENOUGH, ahead) / (_CERTAIN - ENOUGH))
    return FoundCode(
        candidate.code, reading.where, evidence, span, best.word[:MAX_WORD], best.points, best.rules, round(sure, 2)
    )


def _around(reading: AnalyzedText, candidate: Candidate) -> tuple[str, int]:
    """The text around *candidate* on one line, at most `MAX_EVIDENCE` long, and where it begins."""
    begin = max(0, candidate.start - _AROUND)
    return reading.text[begin : min(candidate.end + _AROUND, begin + MAX_EVIDENCE)].replace("\n", " "), begin
