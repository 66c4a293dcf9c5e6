"""
Each step of reading costs time linear in what it is given, whatever is repeated in it.

`make linear` tries many more texts.
"""

import os
import sys
import unicodedata
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.parsing.growth import STEEP, Repeated, Step, exponent
from tests.parsing.steps import STEPS

_EXAMPLES: Final = int(os.environ.get("KAISOUMAIL_LINEAR_EXAMPLES", "4"))
_CATEGORIES: Final = sorted({unicodedata.category(chr(point)) for point in range(sys.maxunicode + 1)} - {"Cs"})
_SIGNIFICANT: Final = tuple("<>&;=?\"'()[]{}:/\\@.-_,!#%+*|`~^$0123456789aA\r\n\t \0")
_FRAGMENTS: Final = (
    "=?utf-8?q?", "=?utf-8?b?", "?=", "=?", "--b\r\n", "--b", "\r\n\r\n", "\r\n--", "\r\n ", "X: y\r\n", "From ",
    "begin 644 a\n", "\nend\n", "M", "=\r\n", "=3D", "utf-8''", "*0*=", "; a=", "name=", "boundary=b", "multipart/",
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "Content-Type: message/rfc822\r\n\r\n", "> ", "<b>", "<p>",
    "<a ", "<b", "</b>", "<!--", "-->", "<!", "<?", "<script>", "</script", "<style", "<td>", "<table>",
    "<div hidden>", "</div>", "<div style='display:none'>", "<img alt=\"", "style=\"", "href=\"", "href=", " alt=",
    "url(", "data:image/png;base64,", "&#", "&#x", "&amp;", "&lt;", "&#x301;", "https://", "http://a.b/", "www.",
    "mailto:", "a@b.test", "your code is ", "code", "code:", "verify", "123456", "G-123456", "12 ", "1,", "A1",
    "A1B-2C3", "$", "confirm", "token=", "---", "___", ", ", " wrote:", "smtp.mailfrom=", "spf=pass ", "\u0301\u0316",
    "\u200b\u0301", "+AGE-", "~{", "\x1b$B", "\x0e",
)  # fmt: skip
_ANY: Final = st.sampled_from(_CATEGORIES).flatmap(lambda each: st.characters(categories=[each]))  # type: ignore[list-item]
_TOKEN: Final = st.one_of(_ANY, st.sampled_from(_SIGNIFICANT), st.sampled_from(_FRAGMENTS))
_TEXTS: Final = st.builds(
    Repeated,
    begin=st.one_of(st.just(""), st.lists(_TOKEN, min_size=1, max_size=2).map("".join)),
    unit=st.lists(_TOKEN, min_size=1, max_size=4).map("".join),
    end=st.one_of(st.just(""), _TOKEN),
)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
@settings(max_examples=_EXAMPLES)
@given(repeated=_TEXTS)
def test_i5_what_a_step_costs_grows_no_faster_than_its_text(step: Step, repeated: Repeated) -> None:
    assert exponent(step, repeated) <= STEEP


@pytest.mark.parametrize(
    "name", ["all facts of a text", "all facts of HTML", "a message with that Subject", "a code in HTML"]
)
def test_i5_alternating_marks_cost_no_more_than_other_text(name: str) -> None:
    """4.3 s for 64 KB: normalising sorted all marks on one letter (I5)."""
    [step] = [step for step in STEPS if step.name == name]

    assert exponent(step, Repeated("a", "\u0301\u0316")) <= STEEP
    assert exponent(step, Repeated("a", "&#x301;\u0316\u200b")) <= STEEP
