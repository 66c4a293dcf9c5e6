"""What a variable of the environment is, and how a group of `Settings` declares one."""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, field
from typing import Any, Final, TypeVar

T = TypeVar("T")

REQUIRED: Final[Any] = MISSING
"""In place of a default: the start fails without the variable."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Nobody may read the value over a shoulder, so that it is never shown."""


@dataclass(frozen=True, slots=True)
class SetWhen:
    """An advanced variable: nobody needs to set it but in this *case*."""

    case: str


@dataclass(frozen=True, slots=True)
class FormerName:
    """An earlier *name*, which is still read: by *reader*, if its text is of another *unit* than the present one's."""

    name: str
    reader: Callable[[str], Any] | None = None
    unit: str = ""


SECRET: Final = Secret()
Note = Secret | SetWhen | FormerName


@dataclass(frozen=True, slots=True)
class Variable:
    """The *name* of a variable, what reads its text, what it means, and what else there is to know."""

    name: str
    reader: Callable[[str], Any]
    meaning: str
    notes: tuple[Note, ...] = ()

    @property
    def is_secret(self) -> bool:
        return SECRET in self.notes

    @property
    def set_when(self) -> str | None:
        """The case in which an advanced variable is set; None for an ordinary one."""
        return next((note.case for note in self.notes if isinstance(note, SetWhen)), None)

    @property
    def former_names(self) -> tuple[FormerName, ...]:
        return tuple(note for note in self.notes if isinstance(note, FormerName))


def variable(name: str, default: T, reader: Callable[[str], T], meaning: str, *notes: Note) -> T:
    """A field of a group. The type checker compares its type with the default and with what *reader* returns."""
    return field(default=default, metadata={"variable": Variable(name, reader, meaning, notes)})
