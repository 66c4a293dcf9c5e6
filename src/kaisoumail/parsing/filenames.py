"""Names of attachments that are safe to show and to write down."""

from typing import Final

from kaisoumail.parsing.charsets import one_line, without_unstorable

MAX_FILENAME: Final = 255
_MAX_ENDING: Final = 16


def cleaned_filename(name: str | None) -> str | None:
    """
    The last part of *name* if it is a path, on one line, at most 255 characters; None if nothing is left.

    Strangers choose these names: no folders, no controls, nothing that turns the direction of the ending.
    A name that is too long keeps its ending.
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
