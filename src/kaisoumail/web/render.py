"""Renders templates to answers: language, theme, and the headers of every page."""

import math
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response

from kaisoumail.operations.context import Context
from kaisoumail.web import languages
from kaisoumail.web.assets import asset_url
from kaisoumail.web.languages import chosen_language, words_in
from kaisoumail.web.preferences import LANGUAGE_COOKIE, THEME_COOKIE, THEMES
from kaisoumail.web.session import target_of

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

# `same-origin` sends no referrer to other sites, like `no-referrer`. But under `no-referrer` browsers send
# `Origin: null` with our own forms (Fetch, "append a request Origin header"), and over plain HTTP, where
# Sec-Fetch-Site is missing too, `http/admission.py` could then not recognise our own pages.
_HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "vary": "cookie, accept-language",
}


def url(path: str, **query: str | None) -> str:
    """*path* with the parts of *query* that are not None or empty."""
    encoded = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{encoded}" if encoded else path


def environment() -> Environment:
    """The environment of the templates, with the functions that all of them may call."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(url=url, asset=asset_url, size=languages.size, moment=languages.moment)
    templates.globals.update(languages=languages.NAMES, html_lang=languages.HTML_LANG, themes=THEMES)
    return templates


_templates: Final = environment()


def language_of(request: "Request[Any, Any, Any]") -> str:
    return chosen_language(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))


def page(
    request: "Request[Any, Any, Any]",
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> Response[str]:
    """The answer rendered from *template*: in the language of the request, with the headers of every page."""
    return Response(
        _templates.get_template(template).render(**about(request), **values),
        status_code=status,
        headers={**_HEADERS, **(headers or {})},
        media_type="text/html",
    )


def about(request: "Request[Any, Any, Any]") -> dict[str, object]:
    """The variables about the request that every template gets."""
    context: Context = request.app.state["context"]
    language = language_of(request)
    t, now = words_in(language), context.clock()
    theme = request.cookies.get(THEME_COOKIE, "")
    return {
        "t": t,
        "language": language,
        "theme": theme if theme in THEMES else THEMES[0],
        "viewer": request.scope["state"].get("viewer"),
        "path": request.scope["path"],
        "here": target_of(request),
        "now": now,
        "ago": lambda instant, seconds=False: languages.ago(t, instant, now, seconds=seconds),
        "seconds_until": lambda instant: max(0, math.ceil((instant - now).total_seconds())),
        "span_until": lambda instant: languages.span(t, instant - now),
        "span_of": lambda minutes: languages.span(t, timedelta(minutes=minutes)),
    }
