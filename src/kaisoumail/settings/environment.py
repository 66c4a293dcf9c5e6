"""Reads the environment: every invalid variable is named at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from kaisoumail.settings.readers import InvalidValue
from kaisoumail.settings.settings import DECLARATIONS, GROUPS, Settings
from kaisoumail.settings.variable import Variable

_MISSPELT: Final = 0.92
"""The similarity from which a name is a misspelling of ours: one letter of thirteen. CLOUDFLARE_API_KEY is below it."""


class BadEnvironment(Exception):
    """The environment is invalid. *faults* has one sentence for each invalid variable."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Setting:
    """The *text* and *value* of a variable that is set, and the *name* by which it is: the present or a former one."""

    name: str
    text: str
    value: Any


def settings_from(environment: Mapping[str, str]) -> Settings:
    """
    The settings in *environment*. A blank value means unset.

    Raises BadEnvironment with every invalid variable and what is expected of it.
    """
    values: dict[str, dict[str, Any]] = {name: {} for name in GROUPS}
    faults: list[str] = []
    for declaration in DECLARATIONS:
        variable = declaration.variable
        try:
            setting = find_setting(variable, environment)
        except BadEnvironment as error:
            faults.extend(error.faults)
            continue
        if setting is not None:
            values[declaration.group][declaration.field] = setting.value
        elif declaration.is_required:
            faults.append(f"{variable.name} is required: {variable.meaning}")
    if faults:
        raise BadEnvironment(faults)
    settings = Settings(**{name: group(**values[name]) for name, group in GROUPS.items()})
    cloudflare = settings.cloudflare
    if cloudflare.workers_ai_enabled and not (cloudflare.account_id and cloudflare.api_token):
        raise BadEnvironment(["WORKERS_AI_ENABLED needs CLOUDFLARE_ACCOUNT_ID and an API token"])
    return settings


def find_setting(variable: Variable, environment: Mapping[str, str]) -> Setting | None:
    """
    What *environment* sets the variable to, by its present name or a former one; None if it does not.

    Raises BadEnvironment for a text that cannot be used, and for two names with different values.
    """
    names = [(variable.name, variable.reader)]
    names += [(former.name, former.reader or variable.reader) for former in variable.former_names]
    settings = [
        Setting(name, text, _read(name, text, reader))
        for name, reader in names
        if (text := _text_of(environment, name))
    ]
    for other in settings[1:]:
        if other.value != settings[0].value:
            raise BadEnvironment([f"{other.name} is now called {variable.name}, and both are set, to different values"])
    return settings[0] if settings else None


def renamed(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """The former names that *environment* sets, each with the present one."""
    return [
        (former.name, declaration.variable.name)
        for declaration in DECLARATIONS
        for former in declaration.variable.former_names
        if _text_of(environment, former.name)
    ]


def misspellings(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """The names in *environment* that are no variable but almost one that is not set, each with that variable."""
    names = [each.variable.name for each in DECLARATIONS]
    names += [former.name for each in DECLARATIONS for former in each.variable.former_names]
    unset = [name for name in names if name not in environment]
    unknown = [name for name in environment if name not in names]
    return [(name, meant) for name in unknown for meant in get_close_matches(name, unset, 1, _MISSPELT)]


def _read(name: str, text: str, reader: Callable[[str], Any]) -> Any:
    try:
        return reader(text)
    except InvalidValue as error:
        raise BadEnvironment([f"{name} {error}"]) from None


def _text_of(environment: Mapping[str, str], name: str) -> str:
    """The text of a variable without surrounding blanks, "" if it is blank or unset; a line break inside stays."""
    text = environment.get(name, "").strip(" \t")
    return text if text.strip() else ""
