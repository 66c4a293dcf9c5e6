"""The fields of a posted form, the path of a request, and redirects."""

from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from litestar import Request, Response

from kaisoumail.errors import Problem

_MAX_FIELDS: Final = 30
START: Final = "/workspace"


async def form_of(request: "Request[Any, Any, Any]") -> dict[str, str]:
    """The fields of a posted form, trimmed; of a repeated one the last. Raises Problem `invalid_request`."""
    try:
        fields = parse_qsl((await request.body()).decode(), max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise Problem("invalid_request", "The form could not be read") from None
    return {name: value.strip() for name, value in fields}


def target_of(request: "Request[Any, Any, Any]") -> str:
    """
    The path and query of the request.

    Not from `request.url`, which is built from the Host header: a client may send one that does not parse.
    """
    query = request.scope["query_string"].decode("latin-1")
    return request.scope["path"] + (f"?{query}" if query else "")


def own_path(text: str) -> str:
    """*text* if it is a path on this site, else the start page; never a URL of another site."""
    is_path = text.startswith("/") and not text.startswith("//") and "\\" not in text
    return text if is_path and all("!" <= character <= "~" for character in text) else START


def go_to(path: str, *, cookie: str | None = None) -> Response[None]:
    """303 to *path*, setting *cookie*."""
    headers = {"location": path, "cache-control": "no-store"}
    return Response(None, status_code=303, headers=headers if cookie is None else {**headers, "set-cookie": cookie})


def to_login(request: "Request[Any, Any, Any]") -> Response[None]:
    """
    A redirect to the sign-in page, which leads back here.

    A fragment requested by htmx cannot be redirected itself: the page around it is redirected instead.
    """
    if request.headers.get("hx-request") != "true":
        return go_to(_login_url(target_of(request) if request.method == "GET" else START))
    login_url = _login_url(_path_of(request.headers.get("hx-current-url", "")))
    return Response(None, status_code=200, headers={"hx-redirect": login_url, "cache-control": "no-store"})


def _path_of(current_url: str) -> str:
    """The path and query of *current_url*, which the browser sends; empty for what is no URL."""
    try:
        parts = urlsplit(current_url)
    except ValueError:  # a bracket in the wrong place
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _login_url(next_path: str) -> str:
    return f"/login?next={quote(own_path(next_path), safe='/')}"
