"""
Cloudflare's envelope and the limits of what we read in it; each product's file has the shapes of its results.

Shapes have only the fields we use and ignore all others. Values that they accept are safe to store and to put into a
path.
"""

import math
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct

PAGE_SIZE: Final = 50  # the documented maximum of GET /zones and of routing rules
UNUSED: Final = Raw
"""The shape of a result that is not used."""

Id = Annotated[str, Meta(pattern=r"\A[0-9A-Za-z_-]{1,64}\Z")]
Name = Annotated[str, Meta(pattern=r"\A[^\x00-\x20\x7f-\xa0]{1,253}\Z")]

_MISSING: Final = Raw()
_MOST_ERRORS: Final = 65_536  # bytes; nested small lists need twenty times their size in memory
_LARGEST_CODE: Final = 2**31 - 1


class Row(Struct):
    """The fields that every row of a list has."""

    id: Id


class Envelope(Struct):
    """The object around every result. *errors*, *result* and *result_info* are empty where absent."""

    success: bool
    errors: Raw = _MISSING
    result: Raw = _MISSING
    result_info: Raw = _MISSING

    @property
    def is_success(self) -> bool:
        """False when there are errors, even if *success* is true."""
        return self.success and self._errors() in (None, [])

    def first_error(self) -> tuple[int | None, str]:
        """Code and message of the first error; None and an empty text where they are not a number and a text."""
        errors = self._errors()
        first = errors[0] if isinstance(errors, list) and errors else None
        if not isinstance(first, dict):
            return None, ""
        code, message = first.get("code"), first.get("message")
        is_code = isinstance(code, int) and not isinstance(code, bool) and 0 <= code <= _LARGEST_CODE
        return code if is_code else None, message if isinstance(message, str) else ""

    def _errors(self) -> Any:
        errors = bytes(self.errors)
        if not errors:
            return None
        try:
            return msgspec.json.decode(errors) if len(errors) <= _MOST_ERRORS else errors
        except (ValueError, RecursionError):
            return errors

    def pages(self) -> int:
        """The number of pages announced, at least 1. Raises ValueError when it is not a number."""
        if not bytes(self.result_info):
            return 1
        info = msgspec.json.decode(self.result_info, type=_ResultInfo | None) or _ResultInfo()
        if info.total_pages is not None:
            return max(info.total_pages, 1)
        return max(math.ceil((info.total_count or 0) / PAGE_SIZE), 1)


class _ResultInfo(Struct):
    total_pages: Annotated[int, Meta(le=_LARGEST_CODE)] | None = None
    total_count: Annotated[int, Meta(le=_LARGEST_CODE)] | None = None


def envelope_in(body: bytes) -> Envelope | None:
    """The envelope in *body*, whatever its content type; None when it is not one."""
    try:
        return msgspec.json.decode(body, type=Envelope)
    except (ValueError, RecursionError):  # RecursionError: nested too deep
        return None
