"""Reads the environment: every invalid variable is named at once."""

from collections.abc import Mapping
from typing import Any

from kaisoumail.settings.readers import InvalidValue
from kaisoumail.settings.settings import DECLARATIONS, GROUPS, Settings


class BadEnvironment(Exception):
    """The environment is invalid. *faults* has one sentence for each invalid variable."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def settings_from(environment: Mapping[str, str]) -> Settings:
    """
    The settings in *environment*. A blank value means unset.

    Raises BadEnvironment with every invalid variable and what is expected of it.
    """
    values: dict[str, dict[str, Any]] = {name: {} for name in GROUPS}
    faults: list[str] = []
    for declaration in DECLARATIONS:
        variable = declaration.variable
        text = text_of(environment, variable.name)
        try:
            if text:
                values[declaration.group][declaration.field] = variable.reader(text)
            elif declaration.is_required:
                faults.append(f"{variable.name} is required: {variable.meaning}")
        except InvalidValue as error:
            faults.append(f"{variable.name} {error}")
    if faults:
        raise BadEnvironment(faults)
    settings = Settings(**{name: group(**values[name]) for name, group in GROUPS.items()})
    cloudflare = settings.cloudflare
    if cloudflare.workers_ai_enabled and not (cloudflare.account_id and cloudflare.api_token):
        raise BadEnvironment(["WORKERS_AI_ENABLED needs CLOUDFLARE_ACCOUNT_ID and an API token"])
    return settings


def text_of(environment: Mapping[str, str], name: str) -> str:
    """The text of a variable without surrounding blanks, "" if it is blank or unset; a line break inside stays."""
    text = environment.get(name, "").strip(" \t")
    return text if text.strip() else ""
