"""The texts of the pages: one JSON catalogue per language, and the choice of the language."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

FALLBACK: Final = "en"
NAMES: Final = {"en": "English", "zh": "中文"}
HTML_LANG: Final = {"en": "en", "zh": "zh-Hans"}
_FOLDER: Final = Path(__file__).parent / "locale"
_CATALOGUES: Final[dict[str, dict[str, str]]] = {
    language: json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8")) for language in NAMES
}

Words = Callable[..., str]


def words_in(language: str) -> Words:
    """`t(key, **values)` in *language*, which raises KeyError for an unknown key."""
    catalogue = _CATALOGUES[language]

    def t(key: str, /, **values: object) -> str:
        return catalogue[key].format(**values)

    return t


def knows(key: str) -> bool:
    return key in _CATALOGUES[FALLBACK]


def chosen_language(cookie: str | None, accepted: str) -> str:
    """The language in *cookie*, else the preferred one of *accepted*, an Accept-Language value."""
    if cookie in NAMES:
        return str(cookie)
    preferences = []
    for position, part in enumerate(accepted.split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        preferences.append((-_weight(weight), position, tag.strip().lower().partition("-")[0]))
    return next((tag for quality, _, tag in sorted(preferences) if tag in NAMES and quality < 0), FALLBACK)


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


def ago(t: Words, instant: datetime, now: datetime, *, seconds: bool = False) -> str:
    """How long *instant* is past or ahead, in the largest unit that fits: at least minutes, or with *seconds* those."""
    passed = now - instant
    size = timedelta(seconds=1) if seconds else timedelta(minutes=1)
    if abs(passed) < size:
        return t("time.now")
    direction = "ago" if passed > timedelta() else "in"
    short = seconds and abs(passed) < timedelta(minutes=1)
    length = t("time.seconds", n=int(abs(passed).total_seconds())) if short else span(t, abs(passed))
    return t(f"time.{direction}", span=length)


def span(t: Words, length: timedelta) -> str:
    """*length* in one unit, rounded down; at least one minute."""
    minutes = max(1, int(length.total_seconds() // 60))
    for unit, size in (("days", 1440), ("hours", 60)):
        if minutes >= size:
            return t(f"time.{unit}", n=minutes // size)
    return t("time.minutes", n=minutes)


def moment(instant: datetime) -> str:
    """The exact time for a tooltip, in UTC; with JavaScript the page replaces it by local time."""
    return instant.strftime("%Y-%m-%d %H:%M UTC")


def size(count: int) -> str:
    """A number of bytes for people: `812 B`, `4.1 KB`, `1.2 MB`."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} KB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
