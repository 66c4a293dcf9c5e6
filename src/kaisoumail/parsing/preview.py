"""The line under a subject in a list of messages."""

from typing import Final

from kaisoumail.parsing.html_text import text_of, visible

MAX_PREVIEW: Final = 140
NO_PREVIEW: Final = "(no preview)"
_FIRST: Final = 1024  # characters; nearly always enough, and much cheaper
_MOST: Final = 16 * 1024


def preview_of(text: str | None, html: str | None) -> str:
    """
    The first 140 visible characters on one line: of the text body if it has any, else of the HTML with its entities
    decoded and without scripts and styles, else "(no preview)".
    """
    line = _beginning(text) if text else ""
    if not line and html:
        line = _beginning(text_of(html))
    return line or NO_PREVIEW


def _beginning(text: str) -> str:
    line = _one_line(text[:_FIRST])
    if len(line) < MAX_PREVIEW < len(text):
        line = _one_line(text[:_MOST])
    return line[:MAX_PREVIEW].rstrip()


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())
