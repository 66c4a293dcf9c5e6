"""The first admin, and users made from the command line."""

from sqlalchemy import Connection

from kaisoumail.auth import api_keys as secrets
from kaisoumail.errors import Problem
from kaisoumail.model.address import is_email
from kaisoumail.model.credential import ApiKey
from kaisoumail.model.ids import new_id
from kaisoumail.model.user import Role, User
from kaisoumail.storage import api_keys, users
from kaisoumail.workflows.context import Context

DEFAULT_SCOPES = ("mailboxes:write", "messages:read")


async def ensure_first_admin(context: Context, email: str, name: str, secret: str) -> None:
    """Make the admin the environment names, if there is no user at all; never touches anything later."""
    user, key = _user_and_key(context, email, name, Role.ADMIN, secret, "Bootstrap Admin", ("*",))

    def add(connection: Connection) -> None:
        if not users.any_exist(connection):
            users.add(connection, user)
            api_keys.add(connection, key)

    await context.database.write(add)


async def add_user(context: Context, email: str, name: str, role: Role) -> tuple[User, str]:
    """
    A new user and their first API key, to be shown once.

    Raises Problem `invalid_request` for an e-mail address or name that will not do, `user_exists` for
    one that is taken in any letter case.
    """
    if not is_email(email):
        raise Problem("invalid_request", f"{email!r} is not an e-mail address")
    if not 1 <= len(name.strip()) <= 64:
        raise Problem("invalid_request", "The name must have 1 to 64 characters")
    secret = secrets.new_secret()
    user, key = _user_and_key(context, email, name, role, secret, "Initial API Key", DEFAULT_SCOPES)

    def add(connection: Connection) -> None:
        if users.find_by_email(connection, email) is not None:
            raise Problem("user_exists", "User already exists")
        users.add(connection, user)
        api_keys.add(connection, key)

    await context.database.write(add)
    return user, secret


def _user_and_key(
    context: Context, email: str, name: str, role: Role, secret: str, key_name: str, scopes: tuple[str, ...]
) -> tuple[User, ApiKey]:
    now = context.clock()
    user = User(new_id("usr"), email, name, role, now, now)
    key = ApiKey(
        id=new_id("key"),
        user_id=user.id,
        name=key_name,
        prefix=secrets.prefix_of(secret),
        key_hash=secrets.hash_of(secret),
        scopes=scopes,
        created_at=now,
    )
    return user, key
