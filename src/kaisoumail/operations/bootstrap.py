"""Creating the first admin."""

from sqlalchemy import Connection

from kaisoumail.auth.api_keys import hash_of, prefix_of
from kaisoumail.model.access import Grant
from kaisoumail.model.audit import Entry
from kaisoumail.model.credential import ApiKey
from kaisoumail.model.ids import new_id
from kaisoumail.model.user import Role, User
from kaisoumail.storage.tables import api_keys, audit, users
from kaisoumail.workflows.context import Context


async def ensure_first_admin(context: Context, email: str, name: str, secret: str) -> None:
    """Create the admin that the environment names, with the API key *secret*, unless any user exists."""
    now = context.clock()
    user = User(new_id("usr"), email, name, Role.ADMIN, now, now)
    key = ApiKey(new_id("key"), user.id, "Bootstrap Admin", prefix_of(secret), hash_of(secret), Grant(), now)
    entry = Entry("user.create", now, "environment", target_id=user.id, target=email, details={"role": "admin"})

    def add(connection: Connection) -> None:
        users.find_before_adding(connection, email)  # locks: two processes that start at once create one admin
        if not users.any_exist(connection):
            users.add(connection, user)
            api_keys.add(connection, key)
            audit.add(connection, entry)

    await context.database.write(add)
