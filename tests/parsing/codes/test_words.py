"""The tables of words, and how their phrases are found."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaisoumail.parsing.codes.folding import fold, normalize, one_line
from kaisoumail.parsing.codes.words import CODES

CASES = [
    ("Your VERIFICATION  code", ["your", "named"]),
    ("your verification\ncode", ["your", "named"]),
    ("decode unicode encoder", []),
    ("Ihr Bestätigungscode", ["your", "named"]),
    ("DOĞRULAMA KODUNUZ", ["named"]),
    ("ΚΩΔΙΚΟΣ ΕΠΑΛΗΘΕΥΣΗΣ", ["named"]),
    ("Ma xac minh", ["named"]),
    ("您的登录验证码", ["your", "about", "named"]),
    ("Подтверждения", ["about"]),
    ("sign-in code", ["named"]),
    ("promo code", ["offer"]),
    ("受付の番号", ["weak"]),
    ("整備番号", ["other"]),
    ("6桁番号", ["weak"]),
    ("code", ["weak"]),
    ("code x", ["weak"]),
    ("code d'accès", ["shared"]),
]


@pytest.mark.parametrize(("text", "roles"), CASES)
def test_phrases_are_found_whatever_their_case_accents_and_line_breaks(text: str, roles: list[str]) -> None:
    found = CODES.hits(one_line(fold(normalize(text, 1000))))

    assert [hit.role for hit in found] == roles


@given(st.text(max_size=300))
def test_folding_moves_nothing(text: str) -> None:
    shown = normalize(text, 1000)

    assert len(fold(shown)) == len(shown)


@given(st.text(max_size=300))
def test_phrases_never_overlap(text: str) -> None:
    hits = list(CODES.hits(one_line(fold(normalize(text, 1000)))))

    assert all(left.end <= right.start for left, right in pairwise(hits))
