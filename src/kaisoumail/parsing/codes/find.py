"""The verification code of a message, or none: no code is better than a wrong one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from kaisoumail.model.code import UncertainCode
from kaisoumail.parsing.codes.candidates import Candidate
from kaisoumail.parsing.codes.reading import AnalyzedText, Where
from kaisoumail.parsing.codes.rules import ENOUGH, MailContext
from kaisoumail.parsing.codes.score import CLOSE, ScoredCandidate, score_candidates
from kaisoumail.parsing.html_text import shown_and_hidden

MAX_EVIDENCE: Final = 120
MAX_WORD: Final = 64
_AROUND: Final = 50
MAX_UNCERTAIN_CODES: Final = 8
_UNCERTAIN: Final = ENOUGH // 2  # points that make a candidate an uncertain code
_LEAST_CONFIDENCE: Final = 0.6
_CERTAIN: Final = 200  # points that give full confidence


Source = Literal["subject", "body"]


def source_of(where: Where) -> Source:
    """The API's `source` of a code found in *where*."""
    return "subject" if where == "subject" else "body"


@dataclass(frozen=True, slots=True)
class FoundCode:
    """
    A code of 4 to 8 letters and digits, and the evidence for it.

    *evidence* is the text around it on one line, at most 120 characters; *span* is the place of the code in it, with
    separators if it has any. *word* is its label ("" without one), at most 64 characters. *rules* are the names of the
    rules that gave its *points*; *confidence* is from 0 to 1.
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
    """A scored candidate of *reading*. *lost* is the reason why it is not the code, "" for the code itself."""

    reading: AnalyzedText
    scored: ScoredCandidate
    lost: str

    @property
    def where(self) -> Where:
        return self.reading.where


@dataclass(frozen=True, slots=True)
class Decision:
    """The code, if there is one, and every candidate that was examined."""

    found: FoundCode | None
    examined: tuple[ExaminedCandidate, ...]

    @property
    def uncertain_codes(self) -> tuple[UncertainCode, ...]:
        """What may be the code when none was found: each once, in the order of the message, at most eight."""
        if self.found is not None:
            return ()
        codes: dict[str, UncertainCode] = {}
        for each in self.examined:
            if each.scored.points >= _UNCERTAIN:
                candidate, word = each.scored.candidate, each.scored.word[:MAX_WORD] or None
                evidence = _around(each.reading, candidate)[0]
                codes.setdefault(candidate.code, UncertainCode(candidate.code, source_of(each.where), evidence, word))
        return tuple(codes.values())[:MAX_UNCERTAIN_CODES]

    def __str__(self) -> str:
        lines = [
            f"{each.where:8}{each.scored.candidate.code:10}{each.scored.points:5}  {each.lost or 'the code'}"
            f"  [{', '.join(each.scored.rules)}]"
            for each in self.examined
        ]
        return "\n".join(lines) or "no candidates"


def find_code(subject: str | None, text: str | None, html: str | None) -> FoundCode | None:
    """
    The code, from the subject if it has one, else from the text, else from the HTML.

    None when no candidate has enough points, or when two different ones are close: a message with
    two codes has none that is safe to copy. The case of letters is preserved. Never raises.
    """
    return decide(subject, text, html).found


def decide(subject: str | None, text: str | None, html: str | None) -> Decision:
    """As `find_code`, with every candidate that was examined; print it to see the reasons."""
    head = AnalyzedText.of("subject", subject or "")
    examined: list[ExaminedCandidate] = []
    for reading, preheader in _readings(head, text, html):
        if not reading.candidates:
            continue
        ranked = score_candidates(reading, MailContext(head, reading))
        best = _best(ranked, preheader)
        examined += [ExaminedCandidate(reading, each, _reason_lost(each, best)) for each in ranked]
        if best is not None:
            return Decision(_found_code(reading, best, ranked), tuple(examined))
    return Decision(None, tuple(examined))


def _readings(head: AnalyzedText, text: str | None, html: str | None) -> Iterator[tuple[AnalyzedText, str]]:
    """The texts in order of precedence, each with its hidden text: a preheader, which clients show in lists only."""
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
    The candidate with enough points and clearly ahead of the others; None if there is none.

    One in a quoted older message counts only if no other has enough points. Of several that are close, the one that the
    preheader repeats is chosen.
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
    """Whether it has nearly as many points, or the very same label: "your codes are 551177 and 662288"."""
    shares_the_word = rival.labelled_at is not None and rival.labelled_at == best.labelled_at
    return shares_the_word or best.points - rival.points < CLOSE


def _reason_lost(each: ScoredCandidate, best: ScoredCandidate | None) -> str:
    if best is not None and each.candidate.code == best.candidate.code:
        return ""
    if each.points < ENOUGH:
        return "too little speaks for it"
    if best is None:
        return "another does nearly as well"
    return "quoted from an older message" if each.is_quoted else "another does better"


def _found_code(reading: AnalyzedText, best: ScoredCandidate, ranked: list[ScoredCandidate]) -> FoundCode:
    candidate = best.candidate
    evidence, begin = _around(reading, candidate)
    span = (candidate.start - begin, candidate.end - begin)
    others = [each.points for each in ranked if each.candidate.code != candidate.code]
    ahead = best.points - max(others, default=0)
    # A rival that lost for another reason, being quoted or missing in the preheader, may have more points.
    certainty = min(best.points - ENOUGH, max(ahead, 0)) / (_CERTAIN - ENOUGH)
    confidence = _LEAST_CONFIDENCE + 0.39 * min(1.0, certainty)
    return FoundCode(
        candidate.code,
        reading.where,
        evidence,
        span,
        best.word[:MAX_WORD],
        best.points,
        best.rules,
        round(confidence, 2),
    )


def _around(reading: AnalyzedText, candidate: Candidate) -> tuple[str, int]:
    """The text around *candidate* on one line, at most `MAX_EVIDENCE` long, and where it begins."""
    begin = max(0, candidate.start - _AROUND)
    return reading.text[begin : min(candidate.end + _AROUND, begin + MAX_EVIDENCE)].replace("\n", " "), begin
