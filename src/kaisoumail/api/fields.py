"""
Reads JSON bodies and queries into typed forms; a refusal names every bad field at once.

A form is a msgspec Struct with camelCase names. Reading is strict (`"60"` is not 60), except that
`60.0` is the same number as `60`, as it is in JSON and for JavaScript.
"""

import re
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin
from urllib.parse import parse_qs

import msgspec
from litestar import Request

from kaisoumail.errors import Problem
from kaisoumail.model.address import EMAIL_PATTERN
from kaisoumail.model.feed import CURSOR_PATTERN, PAGE_END_PATTERN, Cursor, PageEnd, find_cursor, find_page_end

Form = TypeVar("Form", bound=msgspec.Struct)

_INSTANT_PATTERN: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})$"
)
_INSTANT: Final = re.compile(_INSTANT_PATTERN)


def anchored(pattern: str) -> str:
    r"""*pattern* with `\Z` instead of `$`, which in Python also matches before a final line break."""
    return pattern.removesuffix("$").replace("$)", r"\Z)") + r"\Z"


def digits(least: int, most: int) -> msgspec.Meta:
    """Field metadata: the OpenAPI document shows a text that `whole_number` reads as an integer with these bounds."""
    return msgspec.Meta(extra_json_schema={"x-reads-as": {"type": "integer", "minimum": least, "maximum": most}})


# Texts that functions below read; the OpenAPI document shows their format.
InstantText = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
CursorText = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": CURSOR_PATTERN})]
CursorOrInstantText = Annotated[
    str, msgspec.Meta(extra_json_schema={"anyOf": [{"pattern": CURSOR_PATTERN}, {"format": "date-time"}]})
]
PageEndText = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": PAGE_END_PATTERN})]
EmailAddress = Annotated[str, msgspec.Meta(pattern=anchored(EMAIL_PATTERN), max_length=320)]


async def read_body(request: "Request[Any, Any, Any]", form: type[Form], *, only_known: bool = False) -> Form:
    """
    The JSON object in the body as *form*. Unknown keys are refused if *only_known*, else ignored.

    Raises Problem `unsupported_media_type`, `malformed_json`, or `invalid_request` naming every bad field.
    """
    return read_object(await read_json(request), form, only_known=only_known)


async def read_json(request: "Request[Any, Any, Any]") -> dict[str, Any]:
    """
    The JSON object in the body.

    Raises Problem `unsupported_media_type`, `malformed_json`, or `invalid_request` for JSON that is no object.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Problem("unsupported_media_type", "Send the body as application/json")
    try:
        document = msgspec.json.decode(await request.body())
    except msgspec.DecodeError as error:
        raise Problem("malformed_json", f"The body is not valid JSON: {error}") from None
    except UnicodeDecodeError:  # msgspec checks the UTF-8 of a string only when it decodes that string
        raise Problem("malformed_json", "The body is not valid JSON: not UTF-8") from None
    except RecursionError:
        raise Problem("malformed_json", "The body is not valid JSON: nested too deeply") from None
    if not isinstance(document, dict):
        raise invalid(form_errors=["Expected a JSON object"])
    return document


def read_object(document: dict[str, Any], form: type[Form], *, only_known: bool = False) -> Form:
    """*document* as *form*. Raises Problem `invalid_request` naming every bad field."""
    field_errors: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    fields = msgspec.structs.fields(form)
    for field in fields:
        if field.encode_name not in document:
            if field.required:
                field_errors[field.encode_name] = ["Required"]
            continue
        value = document[field.encode_name]
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if _holds_nul(value):
            field_errors[field.encode_name] = ["A text must not contain a NUL character"]
            continue
        try:
            values[field.name] = msgspec.convert(value, field.type)
        except (msgspec.ValidationError, ValueError) as error:
            field_errors[field.encode_name] = [str(error)]
    unknown = document.keys() - {field.encode_name for field in fields} if only_known else set()
    form_errors = [f"Unknown field {name!r:.60}" for name in sorted(unknown)]
    if field_errors or form_errors:
        raise invalid(form_errors, field_errors)
    return form(**values)


def read_query(request: "Request[Any, Any, Any]", form: type[Form]) -> Form:
    """The query as *form*: a list field takes a repeated key, any other a single one. Raises `invalid_request`."""
    parameters = parse_qs(request.scope["query_string"].decode("ascii", "replace"), keep_blank_values=True)
    document: dict[str, Any] = {}
    field_errors: dict[str, list[str]] = {}
    for field in msgspec.structs.fields(form):
        values = parameters.get(field.encode_name)
        if values is None:
            continue
        if _is_list(field.type):
            document[field.encode_name] = values
        elif len(values) == 1:
            document[field.encode_name] = values[0]
        else:
            field_errors[field.encode_name] = ["Expected a single value"]
    if field_errors:
        raise invalid(field_errors=field_errors)
    return read_object(document, form)


def invalid(form_errors: list[str] | None = None, field_errors: dict[str, list[str]] | None = None) -> Problem:
    """Problem `invalid_request` for a request of the wrong shape, with the details existing clients read."""
    return Problem("invalid_request", "Invalid request", formErrors=form_errors or [], fieldErrors=field_errors or {})


def instant(text: str, field: str) -> datetime:
    """
    The instant of *text*, an ISO 8601 date and time with an offset, as strict as existing clients are about it.

    `T` between, `Z` or `±hh:mm` at the end; seconds and their fraction may be left out. Raises Problem
    `invalid_request` naming *field*.
    """
    if _INSTANT.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:  # the form is right, the date is not: 30 February
            pass
    raise invalid(field_errors={field: ["Invalid ISO datetime"]})


def whole_number(text: str, field: str, least: int, most: int) -> int:
    """The number that *text* is. Raises Problem `invalid_request` unless it is whole and from *least* to *most*."""
    if text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most:
        return int(text)
    raise invalid(field_errors={field: [f"Expected a whole number from {least} to {most}"]})


def cursor(text: str, field: str) -> Cursor:
    """The cursor that *text*, from an earlier answer, is. Raises Problem `invalid_request` naming *field*."""
    found = find_cursor(text)
    if found is None:
        raise invalid(field_errors={field: ["Expected a cursor from an earlier answer"]})
    return found


def cursor_or_instant(text: str, field: str) -> Cursor | datetime:
    """Where to continue from: a cursor of an earlier answer, or an ISO instant. Raises Problem `invalid_request`."""
    return find_cursor(text) or instant(text, field)


def page_end(text: str, field: str) -> PageEnd:
    """The end of a page that *text*, its `nextCursor`, is. Raises Problem `invalid_request` naming *field*."""
    found = find_page_end(text)
    if found is None:
        raise invalid(field_errors={field: ["Expected the nextCursor of an earlier page"]})
    return found


def _holds_nul(value: Any) -> bool:
    """Whether a text in *value* contains NUL, the one character that PostgreSQL cannot store in a text."""
    return "\0" in value if isinstance(value, str) else isinstance(value, list) and any(map(_holds_nul, value))


def _is_list(kind: Any) -> bool:
    origin = get_origin(kind)
    return _is_list(get_args(kind)[0]) if origin is Annotated else origin in (list, tuple)
