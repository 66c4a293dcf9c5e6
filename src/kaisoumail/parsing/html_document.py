"""
A message's HTML as a document of its own, and the policy it must be served with.

The policy is the second line of defence, should the sanitizer miss something: no script runs, no form is submitted,
and only pictures are fetched, from our own origin unless the viewer allows remote ones.
"""

from html import escape
from typing import Final

_SANDBOX: Final = "sandbox allow-popups allow-popups-to-escape-sandbox"
_REST: Final = "style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
_PAGE: Final = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light"><meta name="referrer" content="no-referrer"><title>{title}</title>
<style>body{{margin:16px;font:15px/1.5 system-ui,sans-serif;color:#1b1f1e;background:#fff;overflow-wrap:anywhere}}
img{{max-width:100%}}img:not([src$="#remote-image"]){{height:auto}}table{{max-width:100%}}pre{{white-space:pre-wrap}}
</style></head><body>{body}</body></html>"""


def document_policy(*, remote: bool) -> str:
    """The Content-Security-Policy; with *remote*, pictures may come from anywhere."""
    pictures = "img-src 'self' data: https: http:" if remote else "img-src 'self' data:"
    return f"{_SANDBOX}; default-src 'none'; {pictures}; {_REST}"


def html_document(fragment: str, *, title: str, language: str = "") -> str:
    """The HTML document around *fragment*, which must come from `safe_html`."""
    return _PAGE.format(language=escape(language), title=escape(title), body=fragment)
