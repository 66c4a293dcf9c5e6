"""
A mail's HTML as a document of its own, and the policy it must be served with.

The policy is the second wall: whatever the sanitiser might have missed, nothing runs, nothing is sent
anywhere, and nothing but pictures is fetched; those only from us, unless the reader asked for more.
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
    """The document around a *fragment* that `safe_html` made."""
    return _PAGE.format(language=escape(language), title=escape(title), body=fragment)
