"""The OpenAPI description: whole, valid, and the same as what the handlers read and the contract says."""

import ast
import inspect
import json
import re
import textwrap
from collections import Counter
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from litestar.handlers import HTTPRouteHandler
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from kaisoumail.api.app import ROUTES, description
from kaisoumail.api.description import DESCRIBED
from kaisoumail.api.openapi import Operation, document
from kaisoumail.errors import CODES
from kaisoumail.model.access import SCOPES
from tests.contract.described import document as described
from tests.contract.described import operation_at
from tests.contract.schemas import ANSWERS, Schema
from tests.servers import Product

OPERATIONS: dict[HTTPRouteHandler, Operation] = {
    handler: operation for operations in DESCRIBED.values() for handler, operation in operations.items()
}
ROUTED = [handler for handlers in ROUTES.values() for handler in handlers]
WHAT_TO_DO = "give it its row in DESCRIBED, api/description.py: a name, a sentence, its forms, what it refuses with"


def _name(handler: HTTPRouteHandler) -> str:
    return f"{handler.fn.__module__.rpartition('.')[2]}.{handler.fn.__name__}"


# whole


def test_every_route_is_described_and_nothing_else() -> None:
    undescribed = [_name(handler) for handler in ROUTED if handler not in OPERATIONS]
    unrouted = [_name(handler) for handler in OPERATIONS if handler not in ROUTED]

    assert undescribed == [], WHAT_TO_DO
    assert unrouted == [], "no route of ROUTES, api/app.py: take its row out of DESCRIBED, api/description.py"


def _forms_read(handler: HTTPRouteHandler) -> Counter[Any]:
    """The structs that the source of *handler* hands to the readers of `api/fields.py`."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(handler.fn)))
    calls = [(ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return Counter(
        (reader == "read_query", handler.fn.__globals__[ast.unparse(call.args[1])])
        for reader, call in calls
        if reader in ("read_body", "read_object", "read_query")
    )


@pytest.mark.parametrize("handler", ROUTED, ids=_name)
def test_the_forms_described_are_those_that_the_handler_reads(handler: HTTPRouteHandler) -> None:
    operation = OPERATIONS[handler]
    query = [] if operation.query is None else [(True, operation.query)]

    assert Counter([(False, body) for body in operation.bodies] + query) == _forms_read(handler)


@pytest.mark.parametrize("handler", ROUTED, ids=_name)
def test_no_handler_reads_a_body_or_a_query_in_another_way(handler: HTTPRouteHandler) -> None:
    source = inspect.getsource(handler.fn)

    assert not re.search(r"request\.(json|body|form|query_params|stream)\b|\bmsgspec\.json\.decode", source)


def test_names_are_for_programs_and_each_is_there_once() -> None:
    names = [operation.name for operation in OPERATIONS.values()]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name) for name in names)


def test_every_operation_has_a_sentence_a_tag_and_says_who_may() -> None:
    operations = [each for item in described()["paths"].values() for each in item.values()]

    assert len(operations) == len(ROUTED)
    assert all(each["summary"] and each["tags"] and "security" in each for each in operations)
    assert {each["x-kaisoumail-scope"] for each in operations if "x-kaisoumail-scope" in each} <= set(SCOPES)
    users = operation_at("GET", "/api/users")
    assert users is not None
    assert (users["x-kaisoumail-scope"], users["x-kaisoumail-admin"]) == ("users:read", True)


def test_every_code_it_may_refuse_with_is_in_the_table_of_errors() -> None:
    for operation in (each for item in described()["paths"].values() for each in item.values()):
        for status, answer in operation["responses"].items():
            assert all(CODES[code].status == int(status) for code in answer.get("x-kaisoumail-codes", []))


# valid


def test_it_is_valid_openapi_3_1() -> None:
    assert described()["openapi"].startswith("3.1.")
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(described())] == []


def test_every_schema_is_valid_and_leads_somewhere() -> None:
    text = description().decode()

    for schema in described()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    named = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert named == set(described()["components"]["schemas"])


def test_patterns_are_those_of_javascript() -> None:
    assert r"\\Z" not in description().decode()
    assert described()["components"]["schemas"]["CreateMailbox"]["properties"]["localPart"]["pattern"].endswith("$")


def test_a_number_in_a_query_is_told_as_a_number_with_its_bounds_and_default() -> None:
    wait = operation_at("GET", "/api/messages/wait")

    assert wait is not None
    [timeout] = [each for each in wait["parameters"] if each["name"] == "timeout"]
    assert timeout["schema"] == {"type": "integer", "minimum": 0, "maximum": 60, "default": 25}


# served


def test_anybody_may_read_it_and_it_is_always_the_same(product: Product) -> None:
    answer = httpx.get(f"{product.url}/api/openapi.json")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.content == description()
    assert json.dumps(document(ROUTES, DESCRIBED)) == json.dumps(answer.json())


# the same as the contract's tables


def _resolved(schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = described()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _without_null(schema: Schema) -> tuple[bool, Schema]:
    """Whether it may be null, and what it is else."""
    schema = _resolved(schema)
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return "null" in kinds, {**schema, "type": next(kind for kind in kinds if kind != "null")}
    if "anyOf" not in schema:
        return False, schema
    others = [each for each in schema["anyOf"] if each != {"type": "null"}]
    return len(others) < len(schema["anyOf"]), _resolved(others[0])


def _differences(ours: Schema, theirs: Schema, where: str) -> list[str]:
    (ours_null, ours), (theirs_null, theirs) = _without_null(ours), _without_null(theirs)
    if ours_null != theirs_null:
        return [f"{where}: null is {'ours' if ours_null else 'theirs'} alone"]
    found: list[str] = []
    if "enum" in ours and set(ours["enum"]) != set(theirs.get("enum") or ours["enum"]):
        found.append(f"{where}: other words: {ours['enum']}")
    if "items" in ours:
        return [*found, *_differences(ours["items"], theirs["items"], f"{where}[]")]
    if "properties" not in ours:  # a text, a number, or an object that is open in ours
        return found
    if set(ours["properties"]) != set(theirs["properties"]):
        return [*found, f"{where}: {set(ours['properties']) ^ set(theirs['properties'])} are in one of them only"]
    if set(ours["required"]) != set(ours["properties"]):
        found.append(f"{where}: {set(ours['properties']) - set(ours['required'])} are not always there")
    for name, field in ours["properties"].items():
        found += _differences(field, theirs["properties"][name], f"{where}.{name}")
    return found


@pytest.mark.parametrize(("method", "path"), [asked for asked in ANSWERS if asked[1] != "/api/inbound"])
def test_every_answer_has_the_fields_and_the_nulls_of_the_contract(method: str, path: str) -> None:
    operation = operation_at(method, path.replace("{}", "an_id"))
    assert operation is not None

    for status, theirs in ANSWERS[method, path].items():
        answer = operation["responses"][str(status)]["content"]["application/json"]["schema"]
        assert _differences(answer, theirs, path) == []


def test_a_difference_from_the_contract_would_be_seen() -> None:
    ours = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}

    assert _differences(ours, {"properties": {"b": {}}}, "") != []
    assert _differences(ours, {"properties": {"a": {"type": ["string", "null"]}}}, "") != []
