"""
The link of a message that confirms an address, signs in, sets a new password or accepts an invitation, or none.

Scored by its words, its path, and whether it has a secret. Other links (unsubscribe, help, stores, social networks) are
never returned.
"""

import html as entities
import re
from collections.abc import Iterator
from dataclasses import dataclass
from string import printable
from typing import Final
from urllib.parse import quote, urlsplit

from kaisoumail.model.code import Link, LinkKind
from kaisoumail.parsing.codes.folding import fold, normalize, one_line
from kaisoumail.parsing.codes.words import LINKS, MEETINGS
from kaisoumail.parsing.html_text import MAX_HTML, text_of

MAX_URL: Final = 2048
MAX_LINKS: Final = 60  # a message with more has the link to follow among the first
_MAX_TEXT: Final = 64 * 1024
_MAX_WORDS: Final = 80
ENOUGH: Final = 100
_KINDS: Final[tuple[LinkKind, ...]] = ("invite", "reset", "confirm", "sign_in")
# Every class excludes `<`, so that each attempt ends where the next one begins: linear.
_ANCHOR: Final = re.compile(r"<a\s([^<>]{1,4096}+)>", re.IGNORECASE)
_END: Final = re.compile(r"</a\b", re.IGNORECASE)
_HREF: Final = re.compile(r"""\bhref\s?=\s?(?:"([^"]{8,})"|'([^']{8,})'|([^\s"']{8,}))""", re.IGNORECASE)
# IGNORECASE for the scheme only: the excluded range has U+017F, so that it would exclude `s` as well.
_URL: Final = re.compile(r"(?i:https?)://[^\s<>\"'()\[\]{}|\\^`\u0080-\U0010ffff]{4,2048}")
_TRAILING: Final = ".,;:!?*_"
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.IGNORECASE)
# Parts of a path that show what the link does: in English, and as sites in other languages write them.
_PATHS: Final[dict[LinkKind, re.Pattern[str]]] = {
    "invite": re.compile(
        r"invit|/join\b|accept|einladung|uitnodiging|convite|zaproszen|pozvank|davet|priglash|zaproshen|pokana"
    ),
    "reset": re.compile(
        r"reset|recover|forgot|new-?password|set-?password|change-?password|passwort|password/(?:new|edit)|contrasen|"
        r"nueva-clave|restablec|mot-?de-?passe|reinit|nova-senha|senha/|redefinir|wachtwoord|haslo|heslo|sifre|parola|salasana|"
        r"losenord|passord|parol\b|mat-khau"
    ),
    "confirm": re.compile(
        r"verif|confirm|conferm|activat|activar|activer|attiva|validat|valider|validar|optin|opt-in|double-?opt|"
        r"bestaetig|bestatig|aktivier|bevestig|potwierd|aktyw|aktivac|aktivo|aktiver|bekraft|podtver|pidtver|kich-hoat|onay|"
        r"megerosit"
    ),
    "sign_in": re.compile(
        r"magic|sign-?in|log-?in|passwordless|otp|/auth\b|/session|/callback|connexion|anmeld|prihlas|logowan|accedi|acceso|"
        r"entrar|inloggen|inloggning|innlogging|masuk|dang-nhap"
    ),
}
_NEVER_PATHS: Final = re.compile(
    r"unsub|opt-?out|privacy|/terms|preferences|/help|/support|/faq|/legal|/blog|/policy|abmelde|list-manage|/profile\b|"
    r"\.(?:png|jpe?g|gif|svg|webp|css|ico)$"
)
_NEVER_HOSTS: Final = re.compile(
    r"(?:^|\.)(?:facebook|twitter|x|instagram|linkedin|youtube|tiktok|pinterest|t|weibo|vk)\.(?:com|me|co)$|"
    r"^(?:apps\.apple|itunes\.apple|play\.google|help|support)\.|(?:^|\.)(?:w3|schema)\.org$"
)
# A secret for the recipient only: long, and not a word.
_SECRET: Final = re.compile(
    r"(?=[A-Za-z_~-]{0,64}[0-9])(?=[0-9_~-]{0,64}[A-Za-z])[A-Za-z0-9_~-]{12,}|"
    # ... or shorter, with letters and digits taking turns
    r"(?<![A-Za-z0-9])(?=[A-Za-z0-9-]{6})[A-Za-z]{0,8}(?:[0-9]{1,8}[A-Za-z]{1,8}[0-9]|[A-Za-z][0-9]{1,8}[A-Za-z])|"
    r"[A-Za-z0-9_-]{40,}|eyJ[A-Za-z0-9_-]{20,}"
)
_SECRET_NAME: Final = re.compile(
    r"[?&#;](?:token|code|key|t|k|hash|sig|signature|otp|secret|oobcode|ticket|nonce|confirmation_token|\w{1,24}_token|\w{1,24}_key)=[^&]{4,}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _LinkText:
    """A link with its own *words*, or with the text of the line *before* it and of the line *above* that."""

    url: str
    words: str
    before: str = ""
    above: str = ""


def find_link(subject: str | None, text: str | None, html: str | None) -> Link | None:
    """The link to follow, from the HTML if it has one, else from the text. Http and https only. Never raises."""
    text, html = (text or "")[:_MAX_TEXT], (html or "")[:MAX_HTML]
    if "://" not in text and "://" not in html:
        return None
    about = _roles(subject or "")
    for links in (_in_html(html), _in_text(text)):
        best: tuple[int, Link] | None = None
        for link in links:
            scored = _scored_link(link, about)
            if scored is not None and (best is None or scored[0] > best[0]):
                best = scored
        if best is not None:
            return None if best[1].kind == "invite" and _is_of_a_meeting(text, html) else best[1]
    return None


def _in_html(markup: str) -> Iterator[_LinkText]:
    """The first links of *markup* with their text; for a picture, its alternative text."""
    for count, match in enumerate(_ANCHOR.finditer(markup)):
        if count == MAX_LINKS:
            return
        href = _HREF.search(match[1])
        if href is None:
            continue
        url = _in_ascii(entities.unescape(href[1] or href[2] or href[3])[:MAX_URL].strip())
        end = _END.search(markup, match.end(), match.end() + 2000)
        inside = markup[match.end() : end.start() if end else match.end() + 200]
        alternative = re.search(r'\balt\s?=\s?"([^"<>]{3,160})"', inside)
        words = text_of(inside).replace("\n", " ") or (entities.unescape(alternative[1]) if alternative else "")
        yield _LinkText(url, words)


def _in_ascii(url: str) -> str:
    """*url* as a browser requests it: characters outside ASCII are percent-encoded (RFC 3987, 3.1)."""
    return url if url.isascii() else quote(url, safe=printable)


def _in_text(text: str) -> Iterator[_LinkText]:
    """The first URLs of *text*, each with the lines before it."""
    done = 0
    for count, match in enumerate(_URL.finditer(text)):
        if count == MAX_LINKS:
            return
        lines = [line for line in text[max(done, match.start() - 160) : match.start()].splitlines() if line.strip()]
        done = match.end()
        yield _LinkText(match[0].rstrip(_TRAILING), "", " ".join(lines[-1:]), " ".join(lines[-2:-1]))


def _scored_link(link: _LinkText, about: set[str]) -> tuple[int, Link] | None:
    if not (link.url.isascii() and link.url.isprintable()) or " " in link.url:
        return None
    try:
        parts = urlsplit(link.url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if (
        parts.username is not None
        or parts.scheme.lower() not in ("http", "https")
        or not _HOST.fullmatch(host)
        or "." not in host
    ):
        return None
    path = f"{parts.path}?{parts.query}#{parts.fragment}"
    lowered = path.lower()
    if _NEVER_HOSTS.search(host) or _NEVER_PATHS.search(parts.path.lower()):
        return None
    words = _roles(link.words or link.before)
    if "never" in words:
        return None
    kind, points = _kind_of(words, _roles(link.above), lowered, about)
    if kind is None:
        return None
    if _SECRET.search(path) or _SECRET_NAME.search(path):
        points += 40
    elif kind not in about:
        return None
    if points < ENOUGH:
        return None
    return points, Link(link.url, host, link.words[:_MAX_WORDS], kind)


def _roles(text: str) -> set[str]:
    """The roles of the phrases in *text*, without its commas: "Yes, it's me" matches "yes it's me"."""
    return LINKS.roles(one_line(fold(normalize(text, 300))).replace(", ", " ")) if text else set()


def _is_of_a_meeting(text: str, html: str) -> bool:
    """Whether the invitation is to a call, not to a team."""
    lowered = one_line(fold(text or html))
    return any(phrase in lowered for phrase in MEETINGS)


def _kind_of(words: set[str], above: set[str], path: str, about: set[str]) -> tuple[LinkKind | None, int]:
    """
    What the link does, None if unknown, and its points.

    Messages about other things often link to the sign-in page and the page to change the password, so these two kinds
    lose points unless the subject is about them, or both path and words match.
    """
    best: tuple[LinkKind | None, int] = (None, 0)
    for kind in _KINDS:
        in_words = 60 if kind in words else 40 if kind in above and "never" not in above else 0
        in_path = 40 if _PATHS[kind].search(path) else 0
        points = in_words + in_path + (30 if kind in about else 0)
        if not in_words and not in_path:
            continue
        if kind in ("reset", "sign_in") and kind not in about and not (in_words and in_path):
            points -= 40
        if points > best[1]:
            best = (kind, points)
    return best
