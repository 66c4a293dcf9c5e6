"""
The OpenAPI 3.1 document, generated from the code that answers the requests: nothing is written a second time.

Paths, methods and needs come from the route table (`app.py`); the shape of an answer is the return type of its
handler, checked by mypy; bodies and queries are the forms the handler reads (`description.py`, checked by a
test); statuses of refusals are those of `errors.CODES`.
"""

import importlib.metadata
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args, get_origin, get_type_hints

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from kaisoumail.api.shapes import Shape
from kaisoumail.auth.sessions import COOKIE_NAME
from kaisoumail.errors import CODES
from kaisoumail.model.access import Need

Json = dict[str, Any]
Form = type[msgspec.Struct]
JSON: Final = "application/json"
_NO_NUL: Final = r"^[^\u0000]*$"  # what `fields.read_object` refuses in any text
_PARAMETER: Final = re.compile(r"{(\w+):str}")
_KEY: Final[Json] = {"apiKey": []}
_COOKIE: Final[Json] = {"session": []}


class ErrorDetailsShape(Shape):
    """The stable code for programs, the section of the guide that helps, and further fields of this code."""

    code: str
    guide: str | msgspec.UnsetType = msgspec.UNSET


class ErrorShape(Shape):
    """Every refusal: a sentence for people, details for programs."""

    error: str
    details: ErrorDetailsShape


@dataclass(frozen=True, slots=True)
class Operation:
    """
    What the OpenAPI document needs of a handler beside its code.

    *name* is the operationId: clients are generated from it, so it never changes. The body is one of the forms
    *bodies*; *statuses* are those of success, the handler's own by default; *media* is the type of an answer that is
    not JSON; *problems* are the codes it refuses with beside those that follow from its need, body, query and path.
    """

    name: str
    summary: str
    bodies: tuple[Form, ...] = ()
    query: Form | None = None
    statuses: tuple[int, ...] = ()
    media: str = JSON
    problems: tuple[str, ...] = ()


Described = Mapping[str, Mapping[HTTPRouteHandler, Operation]]


def document(routes: Mapping[Need, Sequence[HTTPRouteHandler]], described: Described) -> Json:
    """The OpenAPI document of *routes*, operations by tag. Raises KeyError for a route that is not *described*."""
    needs = {handler: need for need, handlers in routes.items() for handler in handlers}
    tags = {handler: tag for tag, operations in described.items() for handler in operations}
    operation_of = {handler: each for operations in described.values() for handler, each in operations.items()}
    schemas = _schemas_for(operation_of)
    paths: dict[str, Json] = {}
    for handler in sorted(needs, key=lambda each: list(tags).index(each)):
        [path], [method] = handler.paths, handler.http_methods
        path_item = {"tags": [tags[handler]], **_operation(handler, operation_of[handler], needs[handler], schemas)}
        paths.setdefault(_PARAMETER.sub(r"{\1}", path), {})[method.lower()] = path_item
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "KaisouMail",
            "version": importlib.metadata.version("kaisoumail"),
            "summary": "Temporary mailboxes on your own domains.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in described],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key, `cfm_…`."},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE_NAME},
            },
        },
    }


def codes_of(handler: HTTPRouteHandler, operation: Operation, need: Need) -> list[str]:
    """
    The codes the operation may refuse with, each once, by status.

    Beside its own, those that follow from its method, need, forms and path.
    """
    codes = {"storage_unavailable", "overloaded", "rate_limited", "two_sessions", *operation.problems}
    if not handler.http_methods <= {"GET"}:
        codes |= {"cross_site_request", "storage_locked"}
    if not need.is_public:
        codes.add("authentication_required")
    if need.scope:
        codes.add("insufficient_scope")
    if need.is_for_admins:
        codes.add("admin_required")
    if operation.bodies:
        codes |= {"invalid_request", "malformed_json", "unsupported_media_type", "too_large"}
    if operation.query:
        codes.add("invalid_request")
    if _parameters_in(handler):
        codes.add("not_found")
    return sorted(codes, key=lambda code: (CODES[code].status, code))


def _operation(handler: HTTPRouteHandler, operation: Operation, need: Need, schemas: "_Schemas") -> Json:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in _parameters_in(handler)
    ]
    in_query = schemas.parameters(operation.query) if operation.query else []
    described: Json = {"operationId": operation.name, "summary": operation.summary}
    described |= _access(need)
    if in_path or in_query:
        described["parameters"] = in_path + in_query
    if operation.bodies:
        one_of = [schemas.of(body) for body in operation.bodies]
        schema = one_of[0] if len(one_of) == 1 else {"oneOf": one_of}
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    described["responses"] = {
        **_successes(handler, operation, schemas),
        **_refusals(handler, operation, need, schemas),
    }
    return described


def _access(need: Need) -> Json:
    """Who may call the operation: a sentence for people, and the same for programs."""
    if need.is_public:
        return {"description": "Public: no authentication.", "security": []}
    words = "For admins" if need.is_for_admins else "For authenticated users"
    if need.is_by_cookie:
        words += ", by session cookie only"
    access: Json = {"description": f"{words}, with the scope `{need.scope}`." if need.scope else f"{words}."}
    access["security"] = [_COOKIE] if need.is_by_cookie else [_KEY, _COOKIE]
    if need.scope:
        access["x-kaisoumail-scope"] = need.scope
    if need.is_for_admins:
        access["x-kaisoumail-admin"] = True
    return access


def _successes(handler: HTTPRouteHandler, operation: Operation, schemas: "_Schemas") -> Json:
    answer = answer_of(handler)
    schema = schemas.of(answer) if operation.media == JSON and answer else {}
    content = {"content": {operation.media: {"schema": schema}}}
    return {
        str(status): {"description": "No content"} if status == 204 else {"description": "Success", **content}
        for status in operation.statuses or (handler.status_code,)
    }


def _refusals(handler: HTTPRouteHandler, operation: Operation, need: Need, schemas: "_Schemas") -> Json:
    by_status: dict[int, list[str]] = {}
    for code in codes_of(handler, operation, need):
        by_status.setdefault(CODES[code].status, []).append(code)
    return {
        str(status): {
            "description": ", ".join(f"`{code}`" for code in codes),
            "content": {JSON: {"schema": schemas.of(ErrorShape)}},
            "x-kaisoumail-codes": codes,
        }
        for status, codes in by_status.items()
    }


def answer_of(handler: HTTPRouteHandler) -> Form | None:
    """The struct of a successful answer; None if it has no body, or is not JSON."""
    answer = get_type_hints(handler.fn)["return"]
    if get_origin(answer) is Response:
        [answer] = get_args(answer)
    structs = [each for each in (answer, *get_args(answer)) if isinstance(each, type) and issubclass(each, Shape)]
    return structs[0] if structs else None


def _parameters_in(handler: HTTPRouteHandler) -> list[str]:
    [path] = handler.paths
    return _PARAMETER.findall(path)


def _schemas_for(operations: Mapping[HTTPRouteHandler, Operation]) -> "_Schemas":
    structs: dict[Form, None] = {ErrorShape: None}
    queries: dict[Form, None] = {}
    for handler, operation in operations.items():
        answer = answer_of(handler)
        structs |= dict.fromkeys(operation.bodies if answer is None else (*operation.bodies, answer))
        queries |= {} if operation.query is None else {operation.query: None}
    return _Schemas(list(structs), list(queries))


class _Schemas:
    """The JSON Schemas of *structs* and *queries*, converted from msgspec's form to that of OpenAPI."""

    def __init__(self, structs: list[Form], queries: list[Form]) -> None:
        structs = [*structs, *queries]
        heads, parts = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
        self._heads = dict(zip(structs, heads, strict=True))
        self._parts = parts
        shown = sorted(parts.keys() - {query.__name__ for query in queries}, key=_public_name)
        self.components = {_public_name(name): _openapi_schema(parts[name]) for name in shown}
        assert len(self.components) == len(shown), "two structs have the same name in the description"

    def of(self, struct: Form) -> Json:
        return _openapi_schema(self._heads[struct])  # type: ignore[no-any-return]

    def parameters(self, query: Form) -> list[Json]:
        """The fields of *query* as parameters: each is present or absent, and never null."""
        schema = self._parts[query.__name__]
        return [
            {
                "name": name,
                "in": "query",
                "required": name in schema["required"],
                "schema": _parameter(_openapi_schema(field)),
            }
            for name, field in schema["properties"].items()
        ]


def _parameter(schema: Json) -> Json:
    default = schema.pop("default", None)
    if "anyOf" in schema:
        [schema] = [each for each in schema["anyOf"] if each != {"type": "null"}]
    if default is not None and default != []:
        schema["default"] = int(default) if schema.get("type") == "integer" else default
    for text in (schema, schema.get("items", {})):
        if text.get("type") == "string" and not text.keys() & {"pattern", "enum", "format"}:
            text["pattern"] = _NO_NUL
    return schema


def _public_name(name: str) -> str:
    return name.removesuffix("Shape")


def _openapi_schema(schema: Any) -> Any:
    """
    *schema* in the form of OpenAPI: struct names without `Shape`, `\\Z` as the `$` of ECMA-262.

    A text that is read as another type, such as a number in a query, is shown as that type (`fields.digits`).
    """
    if isinstance(schema, list):
        return [_openapi_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "x-reads-as" in schema:
        default = {"default": schema["default"]} if "default" in schema else {}
        return {**schema["x-reads-as"], **default}
    converted = {
        key: _openapi_schema(value) for key, value in schema.items() if not (key == "title" and isinstance(value, str))
    }
    if isinstance(converted.get("$ref"), str):
        converted["$ref"] = _public_name(converted["$ref"])
    if isinstance(converted.get("pattern"), str):
        converted["pattern"] = converted["pattern"].replace(r"\Z", "$")
    if converted.get("required") == []:
        del converted["required"]
    return converted
