"""The labelled mails: how many codes and links are found, how many are invented. Run with -s to see it by language."""

import pytest

from tests.parsing.codes.labelled import Mail, mails, overall, tallies

PARTS = ("tuned", "held_back", "nasty", "last", "later", "final", "unseen", "fresh", "third", "fourth")
EVERY = [mail for part in PARTS for mail in mails(part)]


def test_codes_are_found_and_none_are_invented() -> None:
    codes, _, faults = tallies(EVERY)

    total = overall(codes)
    print(
        "", *(f"{theme:18}{tally}" for theme, tally in sorted(codes.items())), f"{'all':18}{total}", *faults, sep="\n"
    )
    assert total.precision >= 0.97
    assert total.recall >= 0.90


def test_links_are_found_and_none_are_invented() -> None:
    _, links, faults = tallies(EVERY)

    print("", links, *faults, sep="\n")
    assert links.precision >= 0.97
    assert links.recall >= 0.90


@pytest.mark.parametrize("theme", sorted({mail.theme for mail in EVERY}))
def test_no_language_is_left_behind(theme: str) -> None:
    codes, _, faults = tallies([mail for mail in EVERY if mail.theme == theme])

    assert codes[theme].precision >= 0.9, faults
    assert codes[theme].recall >= 0.85, faults


def test_the_corpus_is_large_and_mixed_enough_to_mean_something() -> None:
    def share(of: list[Mail]) -> float:
        return len(of) / len(EVERY)

    assert len(EVERY) >= 250
    assert len({mail.theme for mail in mails("tuned")}) >= 20
    assert share([mail for mail in EVERY if mail.code is None]) >= 0.4
    assert share([mail for mail in EVERY if mail.html is not None]) >= 0.3
    assert len(set(EVERY)) == len(EVERY)
