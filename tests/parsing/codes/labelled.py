"""The labelled mails in `corpus/`, whose README says how they are written, and how well they are answered."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from kaisoumail.parsing.codes.find import find_code
from kaisoumail.parsing.codes.links import find_link

_CORPUS = Path(__file__).parent / "corpus"
# Files of many languages begin the name of a mail with its own.
_LANGUAGES = dict(
    pair.split("=")
    for pair in (
        "en=english de=german fr=french es=spanish pt=portuguese it=italian nl=dutch ru=russian uk=ukrainian pl=polish "
        "cz=czech cs=czech sk=czech sv=swedish no=swedish da=swedish fi=finnish bg=bulgarian tr=turkish el=greek "
        "ro=romanian hu=hungarian zh=chinese ja=japanese ko=korean vi=vietnamese id=indonesian ms=indonesian ar=arabic "
        "he=hebrew th=thai hi=hindi"
    ).split()
)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")
_CELL = '<td style="padding:8px 0;font-family:Arial,sans-serif;font-size:15px;line-height:22px;color:#202124;">'
_LARGE = (
    '<td align="center" style="padding:16px;font-size:32px;font-weight:700;letter-spacing:6px;background:#F4F5F7;">'
)
_BOX = '<td style="width:40px;height:48px;border:1px solid #C4C7CC;font-size:24px;" align="center">'
_BUTTON = 'style="background:#1A2B3C;color:#ffffff;padding:12px 24px;border-radius:4px;text-decoration:none;"'


@dataclass(frozen=True)
class Mail:
    """One mail with what must be found in it; *theme* is its language, or what it is if that says more."""

    theme: str
    name: str
    subject: str
    text: str | None
    html: str | None
    code: str | None
    link: str | None


@dataclass
class Tally:
    """How often something was right, invented and missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    without: int = 0

    def count(self, wanted: str | None, found: str | None) -> None:
        self.right += wanted is not None and found == wanted
        self.wrong += found is not None and found != wanted
        self.missed += wanted is not None and found != wanted
        self.without += wanted is None

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    def __str__(self) -> str:
        return (
            f"{self.right + self.missed:4} with, {self.without:4} without: precision {self.precision:.3f}, "
            f"recall {self.recall:.3f} ({self.wrong} wrong, {self.missed} missed)"
        )


@cache
def mails(part: str) -> tuple[Mail, ...]:
    """The mails of `tuned` or `held_back`."""
    return tuple(mail for path in sorted((_CORPUS / part).glob("*.txt")) for mail in _read(path))


def tallies(of: Iterable[Mail]) -> tuple[dict[str, Tally], Tally, list[str]]:
    """By theme how well the codes were found, how well the links were, and a line for each fault."""
    codes: dict[str, Tally] = {}
    links, faults = Tally(), []
    for mail in of:
        found, link = find_code(mail.subject, mail.text, mail.html), find_link(mail.subject, mail.text, mail.html)
        code, url = None if found is None else found.code, None if link is None else link.url
        codes.setdefault(mail.theme, Tally()).count(mail.code, code)
        links.count(mail.link, url)
        if code != mail.code or url != mail.link:
            faults.append(f"{mail.theme}: {mail.name}: {code} for {mail.code}, {url} for {mail.link}")
    return codes, links, faults


def overall(codes: dict[str, Tally]) -> Tally:
    """All themes as one."""
    total = Tally()
    for each in codes.values():
        total.right += each.right
        total.wrong += each.wrong
        total.missed += each.missed
        total.without += each.without
    return total


def _read(path: Path) -> Iterable[Mail]:
    for piece in path.read_text(encoding="utf-8").split("\n####"):
        head, _, body = piece.removeprefix("####").partition("\n----\n")
        name, *lines = head.strip().split("\n")
        fields = dict(line.split(": ", 1) for line in lines)
        text, html = _shown(fields, body.strip("\n"))
        theme = _LANGUAGES.get(name.split()[0], path.stem)
        yield Mail(theme, name, fields["subject"], text, html, fields.get("code"), fields.get("link"))


def _shown(fields: dict[str, str], body: str) -> tuple[str | None, str | None]:
    kind = fields["as"]
    if kind == "html":
        return None, body
    text = _LINK.sub(r"\1:\n\2", body)
    if kind == "text":
        return text, None
    layout = (_CORPUS / "layouts" / ("simple.html" if kind == "simple" else "card.html")).read_text(encoding="utf-8")
    rows = "\n".join(_row(line, kind, fields.get("code")) for line in body.split("\n") if line.strip())
    html = layout.replace("{rows}", rows).replace("{preheader}", escape(fields.get("preheader", "")))
    return (text if kind == "both" else None), html


def _row(line: str, kind: str, code: str | None) -> str:
    words = _LINK.sub(lambda match: f'<a href="{match[2]}" {_BUTTON}>{match[1]}</a>', escape(line))
    if kind == "simple":
        return f"<div>{words}</div>"
    is_code = code is not None and line.replace(" ", "").replace("-", "").strip() == code
    if is_code and kind == "boxes":
        boxes = "".join(f"{_BOX}{digit}</td>" for digit in line.strip())
        return f'<tr><td align="center"><table role="presentation" cellspacing="8"><tr>{boxes}</tr></table></td></tr>'
    return f"<tr>{_LARGE if is_code else _CELL}{words}</td></tr>"
