"""The cast: Root is admin, Ada owns, Bob is another member, Eve has no key."""

from datetime import UTC, datetime, timedelta

from kaisoumail.model.user import Role, User, Viewer

NOON = datetime(2026, 4, 3, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def _person(name: str, role: Role) -> Viewer:
    lower = name.lower()
    return Viewer(User(f"usr_{lower}", f"{lower}@people.example", name, role, NOON, NOON))


ROOT = _person("Root", Role.ADMIN)
ADA = _person("Ada", Role.MEMBER)
BOB = _person("Bob", Role.MEMBER)
EVERYBODY = (ROOT, ADA, BOB)
