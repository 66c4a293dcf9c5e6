"""An API client for tests: plain httpx, and every answer is checked against the contract as it comes in."""

import re
from typing import Any

import httpx

from tests.contract.described import check_described
from tests.contract.schemas import check

_PARTS = re.compile(r"/api/messages/[^/]+/(html|attachments/|pictures/)")


class ApiClient(httpx.Client):
    """Every JSON answer under `/api` and `/health` must be what the contract says, or the test fails."""

    def __init__(self, url: str, key: str | None = None) -> None:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        super().__init__(base_url=url, headers=headers, timeout=60, event_hooks={"response": [_check]})


def _check(response: httpx.Response) -> None:
    request = response.request
    path = request.url.path
    assert response.headers["x-request-id"], "every answer carries a request id"
    if request.method in ("HEAD", "OPTIONS"):
        return
    if not response.is_error:
        check_described(request.method, path, response.status_code, None)
    if response.status_code in (204, 303) or path.endswith(("/raw", "/openapi.json")):
        return
    if not response.is_error and _PARTS.search(path):
        return  # bytes or a page, not JSON
    if path in ("/health", "/readyz") or path.startswith("/api/"):
        response.read()
        check(request.method, path, response.status_code, response.json())
        if response.is_error:
            check_described(request.method, path, response.status_code, code_of(response))


def code_of(response: httpx.Response) -> Any:
    """The machine code of an error answer."""
    return response.json()["details"]["code"]
