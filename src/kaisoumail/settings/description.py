"""The variables in the parts of the reference page, and what is in effect of them; no secret is shown."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kaisoumail.settings.environment import find_setting
from kaisoumail.settings.settings import DECLARATIONS, GROUPS, Declaration, Settings


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: its title, one sentence that says what it is for, and its variables."""

    title: str
    purpose: str
    declarations: tuple[Declaration, ...]


def _sections() -> Iterator[Section]:
    for name, group in GROUPS.items():
        ordinary = (each for each in DECLARATIONS if each.group == name and each.variable.set_when is None)
        yield Section(group.TITLE, inspect.getdoc(group) or "", tuple(ordinary))
    advanced = (each for each in DECLARATIONS if each.variable.set_when is not None)
    yield Section("Advanced", "Nobody needs to set these, except in the one case that each names.", tuple(advanced))


SECTIONS: Final = tuple(_sections())


@dataclass(frozen=True, slots=True)
class ShownVariable:
    """
    A variable and its *value* as the environment would set it: "set" or empty for a secret, empty for none.

    *set_by* is the name that the environment sets, the present or a former one; None while the default is in effect.
    """

    name: str
    value: str
    set_by: str | None


def shown(declaration: Declaration, settings: Settings, environment: Mapping[str, str]) -> ShownVariable:
    """A variable of *environment* with its value in *settings*."""
    name = declaration.variable.name
    setting = find_setting(declaration.variable, environment)
    if declaration.variable.is_secret:
        value = "set" if setting else ""
    elif setting is not None and setting.name == name:
        value = setting.text
    else:
        value = _as_text(getattr(getattr(settings, declaration.group), declaration.field))
    return ShownVariable(name, value, setting.name if setting else None)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None or value == () else str(value)
