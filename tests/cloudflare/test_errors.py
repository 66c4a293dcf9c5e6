"""Every documented error number has a class, and a class its Problem."""

import pickle

import pytest

from kaisoumail.cloudflare import errors
from kaisoumail.cloudflare.errors import (
    BY_CODE,
    AlreadyExists,
    Answer,
    BadToken,
    CloudflareError,
    CloudflareFault,
    DuplicateRule,
    ForeignMx,
    MissingPermission,
    NotFound,
    RateLimited,
    RequestRejected,
    TryLater,
    UnreadableAnswer,
    ZoneNotActive,
    error_for,
)
from kaisoumail.errors import CODES


def _kinds() -> list[type[CloudflareError]]:
    found = [CloudflareError]
    for kind in found:
        found += kind.__subclasses__()
    return found


def test_every_class_becomes_a_problem_we_have_an_answer_for() -> None:
    assert {kind.problem_code for kind in _kinds()} <= CODES.keys()


def test_no_answer_of_cloudflares_looks_like_our_own_401_or_403() -> None:
    assert {CODES[kind.problem_code].status for kind in _kinds()} <= {409, 429, 502}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, 0, MissingPermission),
        (403, 10000, MissingPermission),
        (401, 1000, BadToken),
        (400, 6003, BadToken),
        (400, 1061, AlreadyExists),
        (403, 2009, ZoneNotActive),
        (409, 2008, ForeignMx),
        (409, 2014, DuplicateRule),
        (404, 81044, NotFound),
        (404, None, NotFound),
        (409, 424242, RequestRejected),
        (422, 424242, RequestRejected),
        (401, 424242, BadToken),
        (403, None, MissingPermission),
        (500, 1052, CloudflareFault),
        (502, None, CloudflareFault),
        (429, 971, RateLimited),
        (429, 10100, RateLimited),
        (429, None, RateLimited),
        (400, 1224, TryLater),
        (429, 1224, TryLater),
        (200, None, UnreadableAnswer),
    ],
)
def test_the_number_decides_then_the_status(status: int, code: int | None, kind: type[CloudflareError]) -> None:
    error = error_for(Answer("GET", "/zones", status, code, "words"), retry_after=5)

    assert type(error) is kind


@pytest.mark.parametrize("code", sorted(BY_CODE))
def test_every_known_number_comes_back_from_storage_as_itself(code: int) -> None:
    error = error_for(Answer("GET", "/zones", 400, code, "words", "ray"), retry_after=5)

    back = pickle.loads(pickle.dumps(error))

    assert type(back) is type(error)
    assert back.answer == error.answer
    assert getattr(back, "retry_after", None) == getattr(error, "retry_after", None)


def test_a_problem_carries_cloudflares_exact_answer() -> None:
    error = error_for(Answer("POST", "/zones", 400, 1097, "banned", "8f1-FRA"), retry_after=5)

    assert error.problem().details["cloudflare"] == {
        "method": "POST",
        "path": "/zones",
        "status": 400,
        "code": 1097,
        "message": "banned",
        "rayId": "8f1-FRA",
        "milliseconds": None,
    }


def test_the_tree_in_the_docstring_names_every_class() -> None:
    drawing = errors.__doc__ or ""

    assert [kind.__name__ for kind in _kinds() if kind.__name__ not in drawing] == []
