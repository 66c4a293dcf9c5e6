"""`/preferences`: the language and the theme, stored in cookies."""

from typing import Any, Final

from litestar import Request, Response, post

from kaisoumail.operations.context import Context
from kaisoumail.web.languages import NAMES
from kaisoumail.web.session import form_of, go_to, own_path

LANGUAGE_COOKIE: Final = "kaisoumail_language"
THEME_COOKIE: Final = "kaisoumail_theme"
THEMES: Final = ("system", "light", "dark")
_YEAR: Final = 365 * 24 * 60 * 60


@post("/preferences", status_code=303)
async def save_preferences(request: "Request[Any, Any, Any]", context: Context) -> Response[None]:
    """303 to `next`, with the cookie for a year of the language or else the theme; an unknown value sets none."""
    form = await form_of(request)
    next_path = own_path(form.get("next", ""))
    if form.get("language") in NAMES:
        return go_to(next_path, cookie=_cookie(LANGUAGE_COOKIE, form["language"], context))
    if form.get("theme") in THEMES:
        return go_to(next_path, cookie=_cookie(THEME_COOKIE, form["theme"], context))
    return go_to(next_path)


def _cookie(name: str, value: str, context: Context) -> str:
    return f"{name}={value}; HttpOnly; Path=/; SameSite=Lax; Max-Age={_YEAR}" + (
        "; Secure" if context.policy.cookies_are_secure else ""
    )
