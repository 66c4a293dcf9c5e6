"""File names of attachments, safe to show and to use for a file."""

from typing import Final

from kaisoumail.parsing.charsets import one_line, without_unstorable

MAX_FILENAME: Final = 255
_MAX_ENDING: Final = 16


def cleaned_filename(name: str | None) -> str | None:
    """
    *name* without directories, on one line, at most 255 characters; None if nothing is left.

    These names are untrusted: control characters, and marks that turn the direction of the ending, are removed. A name
    that is too long is cut before its ending.
    """
    if not name:
        return None
    last = one_line(without_unstorable(name).replace("\\", "/").rpartition("/")[2]).rstrip(". ")
    if len(last) <= MAX_FILENAME:
        return last or None
    stem, dot, ending = last.rpartition(".")
    if not stem or len(ending) > _MAX_ENDING:
        return last[:MAX_FILENAME]
    return stem[: MAX_FILENAME - len(ending) - 1] + dot + ending
