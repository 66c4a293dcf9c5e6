"""Where the guide explains something. Its pages come later: until one is listed, nothing links to it."""

from typing import Final

PAGES: Final[frozenset[str]] = frozenset()


def guide_url(slug: str, anchor: str) -> str | None:
    """The place in the guide, or None while that page does not exist."""
    return f"/docs/{slug}#{anchor}" if slug in PAGES else None
