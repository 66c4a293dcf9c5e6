"""How well codes and links are found in the labelled mails, and what looking for them costs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from kaisoumail.parsing.codes.find import find_code
from kaisoumail.parsing.codes.links import find_link
from tests.parsing.codes.labelled import Mail, mails, overall, tallies

_PARTS: Final = ("tuned", "held_back", "nasty", "last", "later", "final", "unseen", "fresh", "third", "fourth")
_SIZE: Final = 5 * 1024
_ROUNDS: Final = 7
_WORDS: Final = "Thank you for being with us, here is what is new in the garden this week and where to find it. "
_ROW: Final = '<tr><td style="padding:12px 24px;font-family:Arial,sans-serif;color:#333333;">{}</td></tr>'
_BAD: Final = 80 * 1024

# Inputs that made other finders slow; each is measured at half and at full size.
_HOSTILE: Final = {
    "<": "<",
    "digits": "0123456789",
    "six digits and a space": "482913 ",
    "code": "code ",
    "verification code 482913": "verification code 482913 ",
    "验证码": "验证码",
    "nested tables": "<table><tr><td>",
    "hidden elements": '<div style="display:none">1',
    "style attributes": '<p style="display',
    "links": '<a href="https://x.test/verify/9f8e7d6c5b4a3928">verify</a>',
    "half links": '<a href="https://',
    "quoted lines": "> 482913\n",
    "combining accents": "e\u0301\u200b",
    "spaced digits": "1 2 3 ",
    "pictures": '<img alt="4829',
}


@dataclass(frozen=True)
class Cost:
    """CPU in seconds for *what* of *size* characters; *half* for half of it, None if that was not asked."""

    what: str
    size: int
    full: float
    half: float | None = None


def qualities() -> list[str]:
    """A line for each part of the corpus, and for all of it by theme."""
    lines = []
    for part in _PARTS:
        codes, links, _ = tallies(mails(part))
        lines += [f"{part:12} codes {overall(codes)}", f"{part:12} links {links}"]
    codes, links, faults = tallies([mail for part in _PARTS for mail in mails(part)])
    lines += [f"{'all':12} codes {overall(codes)}", f"{'all':12} links {links}"]
    return [
        *lines,
        *(f"  {theme:18} {tally}" for theme, tally in sorted(codes.items())),
        *(f"  - {each}" for each in faults),
    ]


def costs() -> list[Cost]:
    """What one mail costs: of 5 KB with and without a code, of the corpus, and of hostile ones."""
    ordinary = [Cost(what, len(text + html), _cpu(partial(_both, text, html))) for what, text, html in _ordinary()]
    every = [mail for part in _PARTS for mail in mails(part)]
    size = sum(len(mail.text or "") + len(mail.html or "") for mail in every) // len(every)
    corpus = _cpu(lambda: [_look(mail) for mail in every], 1) / len(every)
    hostile = [_hostile(what, piece, _BAD) for what, piece in _HOSTILE.items()]
    line = "verification code 482913 " * (20 * 1024 * 1024 // 25)
    return [
        *ordinary,
        Cost("a mail of the corpus", size, corpus),
        *hostile,
        Cost("one line of 20 MB", len(line), _cpu(lambda: _both(line, line), 1)),
    ]


def _ordinary() -> list[tuple[str, str, str]]:
    text = (_WORDS * 60)[:_SIZE]
    rows = "".join(_ROW.format(_WORDS) for _ in range(_SIZE // (len(_ROW) + len(_WORDS))))
    html = f"<html><body><table><tr><td><table>{rows}</table></td></tr></table></body></html>"
    code = "Your verification code is 482913."
    return [
        ("5 KB of text, no digit", text, ""),
        ("5 KB of text, a code at the end", f"{text}\n\n{code}", ""),
        ("5 KB of text, a receipt", f"Order 20491177, 48.20 EUR, 14 January 2026\n\n{text}", ""),
        ("5 KB of HTML, no digit", "", html),
        ("5 KB of HTML, a code at the end", "", html.replace("</body>", f"<p>{code}</p></body>")),
        ("5 KB of HTML, a receipt", "", html.replace("</body>", "<p>Order 20491177, 14 January 2026</p></body>")),
    ]


def _hostile(what: str, piece: str, size: int) -> Cost:
    full, half = (piece * (length // len(piece)) for length in (size, size // 2))
    return Cost(f"80 KB of {what}", size, _cpu(lambda: _both(full, full)), _cpu(lambda: _both(half, half)))


def _both(text: str, html: str) -> None:
    find_code("Verify your email", text, html)
    find_link("Verify your email", text, html)


def _look(mail: Mail) -> None:
    find_code(mail.subject, mail.text, mail.html)
    find_link(mail.subject, mail.text, mail.html)


def _cpu(work: Callable[[], object], times: int | None = None) -> float:
    """The least CPU of several rounds: what others on the machine take is no part of it."""
    started = time.process_time()
    work()
    once = max(time.process_time() - started, 1e-6)
    repeats = times or max(1, min(500, int(0.05 / once)))
    best = once
    for _ in range(_ROUNDS if once < 1 else 1):
        started = time.process_time()
        for _ in range(repeats):
            work()
        best = min(best, (time.process_time() - started) / repeats)
    return best


def report() -> None:
    """Print both tables."""
    print("\nVerification codes and links, labelled mails")
    print(*qualities(), sep="\n")
    print(f"\n{'looking for a code and a link in':44} {'size':>9} {'CPU ms':>9} {'half size':>10} {'ratio':>6}")
    for cost in costs():
        half = f"{cost.half * 1000:10.3f} {cost.full / cost.half:6.1f}" if cost.half else ""
        print(f"{cost.what:44} {cost.size:9} {cost.full * 1000:9.3f} {half}")


if __name__ == "__main__":
    report()
