"""The points of each candidate of a text, by its label and the text around it: `RULES` and `LAST_RULES`."""

from dataclasses import dataclass
from typing import Final

from kaisoumail.parsing.codes.candidates import Candidate
from kaisoumail.parsing.codes.labels import labels_of
from kaisoumail.parsing.codes.reading import AnalyzedText
from kaisoumail.parsing.codes.rules import LAST_RULES, RULES, CandidateContext, MailContext

CLOSE: Final = 60


@dataclass(frozen=True, slots=True)
class ScoredCandidate:
    """A candidate, its points and their rules, and its label: the *word* ("" without one) and where that begins."""

    candidate: Candidate
    points: int
    rules: tuple[str, ...]
    word: str = ""
    is_quoted: bool = False
    labelled_at: int | None = None


def score_candidates(reading: AnalyzedText, message: MailContext) -> list[ScoredCandidate]:
    """The candidates of *reading* with their points, in order. A code needs `ENOUGH` points."""
    if not reading.hits and not message.asks_for_proof:
        return [ScoredCandidate(candidate, 0, ()) for candidate in reading.candidates]
    labels = labels_of(reading)
    contexts = (
        CandidateContext(reading, candidate, label, message)
        for candidate, label in zip(reading.candidates, labels, strict=True)
    )
    return [_scored(context) for context in contexts]


def _scored(context: CandidateContext) -> ScoredCandidate:
    reading, candidate, label = context.reading, context.candidate, context.label
    is_quoted = reading.is_quoted(candidate)
    if not context.may_be_a_code:
        return ScoredCandidate(candidate, 0, (), is_quoted=is_quoted)
    matched = {rule.name: rule.points for rule in RULES if rule.holds(context)}
    points = sum(matched.values())
    for rule in LAST_RULES:
        if rule.least <= points <= rule.most and rule.holds(context):
            points += rule.points
            matched[rule.name] = rule.points
    if label is None:
        return ScoredCandidate(candidate, points, tuple(matched), is_quoted=is_quoted)
    word = reading.text[label.hit.start : label.hit.end].replace("\n", " ")
    return ScoredCandidate(candidate, points, tuple(matched), word, is_quoted, label.hit.start)
