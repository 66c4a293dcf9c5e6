"""What one mail may cost is bounded by structure, not by luck: parts, text, memory, depth."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from kaisoumail.parsing.bodies import MAX_RENDERED, MAX_TEXT_BYTES
from kaisoumail.parsing.headers import MAX_HEADERS
from kaisoumail.parsing.html_text import MAX_HTML, text_of
from kaisoumail.parsing.mime import MAX_RECIPIENTS, find_attachment, parse
from kaisoumail.parsing.part import MAX_PARTS
from kaisoumail.parsing.preview import preview_of
from kaisoumail.parsing.sanitize import MAX_MARKUP, safe_html
from kaisoumail.parsing.uuencode import MAX_FILES
from tests.parsing.corpus.hostile import LARGE, MEGABYTE, SHAPES

ROOT = Path(__file__).parents[2]
ABOVE_ITS_SIZE = 150 * MEGABYTE


@pytest.mark.parametrize("name", LARGE)
def test_a_large_mail_is_read_within_bounds(name: str) -> None:
    raw = LARGE[name]()

    tracemalloc.start()
    try:
        parsed = parse(raw)
        preview_of(parsed.text, parsed.html)
        if parsed.attachments:
            find_attachment(raw, len(parsed.attachments) - 1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < ABOVE_ITS_SIZE
    assert len(parsed.attachments) <= MAX_PARTS + MAX_FILES
    assert len(parsed.headers) <= MAX_HEADERS
    assert len(parsed.text or "") <= MAX_TEXT_BYTES + MAX_PARTS


@pytest.mark.parametrize("name", SHAPES)
def test_twenty_times_the_mail_is_no_more_than_the_bounds_allow(name: str) -> None:
    parsed = parse(SHAPES[name](4 * MEGABYTE))

    assert len(parsed.attachments) <= MAX_PARTS + MAX_FILES
    assert len(parsed.headers) <= MAX_HEADERS
    assert len(parsed.recipients) <= MAX_RECIPIENTS
    assert len(parsed.html or "") <= MAX_TEXT_BYTES + 7 * MAX_RENDERED
    assert len(text_of(parsed.html or "")) <= MAX_HTML


@pytest.mark.parametrize("kind", ["plain", "hidden in encoded-words"])
def test_a_hundred_thousand_levels_do_not_end_the_process(kind: str) -> None:
    """In a process of its own: the library this is about does not raise, it dies."""
    said = "multipart/mixed" if kind == "plain" else "=?utf-8?q?multip=61rt/mixed?="
    script = f"""
from kaisoumail.parsing.mime import parse
raw = b"".join(b"Content-Type: {said}; boundary=b%07d\\r\\n\\r\\n--b%07d\\r\\n" % (n, n) for n in range(100_000))
print(parse(b"Subject: deep\\r\\n" + raw).subject)
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)

    assert (done.returncode, done.stdout) == (0, "deep\n")


def test_a_text_is_read_up_to_its_bound_and_says_so() -> None:
    raw = b"Subject: s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + "您".encode() * (2 * MAX_TEXT_BYTES // 3)

    parsed = parse(raw)

    assert parsed.defects == ("text_cut",)
    assert parsed.status == "parsed"
    assert parsed.text is not None
    assert parsed.text == "您" * len(parsed.text)
    assert MAX_TEXT_BYTES // 3 - 2 < len(parsed.text) <= MAX_TEXT_BYTES // 3


def test_what_is_shown_in_both_bodies_is_rendered_up_to_a_bound_and_says_so() -> None:
    parsed = parse(SHAPES["HTML rendered as texts"](4 * MEGABYTE))

    assert parsed.defects == ("text_cut",)


def test_markup_is_shown_up_to_its_bound() -> None:
    safe = safe_html("<p>word</p>" * 100_000)

    assert safe.html.startswith("<p>word</p>")
    assert len(safe.html) <= 2 * MAX_MARKUP


@pytest.mark.parametrize("depth", [5, 12])
def test_a_large_file_deep_inside_is_held_once(depth: int) -> None:
    raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%02d\r\n\r\n--b%02d\r\n" % (n, n) for n in range(depth))
    raw += b"Content-Type: multipart\r\n\r\n" + b"multipart " * 40 + bytes(20 * MEGABYTE)

    tracemalloc.start()
    try:
        parse(b"Subject: s\r\n" + raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 100 * MEGABYTE
