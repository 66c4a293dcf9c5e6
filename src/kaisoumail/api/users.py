"""`/api/users`: for admins."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, delete, get, post

from kaisoumail.api.api_keys import ApiKeyShape, key_shape
from kaisoumail.api.fields import EmailAddress, read_body, read_query
from kaisoumail.api.shapes import NO_STORE, Instant, Shape, one_of
from kaisoumail.model.clock import iso, iso_or_none
from kaisoumail.model.user import Role, User, Viewer
from kaisoumail.operations import users
from kaisoumail.operations.context import Context

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Role = Literal["admin", "member"]


class AddUser(msgspec.Struct, rename="camel"):
    email: EmailAddress
    name: _Name
    role: _Role = "member"


class ChangeUser(msgspec.Struct, rename="camel"):
    name: _Name | None = None
    role: _Role | None = None


class RemoveUser(msgspec.Struct, rename="camel"):
    transfer_to: Annotated[str, msgspec.Meta(max_length=48)] | None = None


class UserShape(Shape):
    id: str
    email: str
    name: str
    role: Annotated[str, one_of(*Role)]
    created_at: Instant
    updated_at: Instant
    # added to the contract
    disabled_at: Instant | None


class UserListShape(Shape):
    users: list[UserShape]


class InitialKeyShape(Shape):
    api_key: str
    api_key_record: ApiKeyShape


class AddedUserShape(Shape):
    user: UserShape
    initial_key: InitialKeyShape


class RemovedUserShape(Shape):
    """The deleted user, the number of their mailboxes, and the user who owns these now."""

    user: UserShape
    mailboxes: int
    transferred_to: str | None


@get("/api/users")
async def list_users(viewer: Viewer, context: Context) -> UserListShape:
    return UserListShape(users=[_shape(user) for user in await users.list_users(context, viewer)])


@post("/api/users")
async def add_user(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[AddedUserShape]:
    form = await read_body(request, AddUser)
    added = await users.add_user(context, form.email, form.name, Role(form.role), viewer)
    initial_key = InitialKeyShape(api_key=added.secret, api_key_record=key_shape(added.key))
    return Response(AddedUserShape(user=_shape(added.user), initial_key=initial_key), status_code=201, headers=NO_STORE)


@post("/api/users/{user_id:str}", status_code=200)
async def change_user(user_id: str, request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> UserShape:
    form = await read_body(request, ChangeUser)
    role = None if form.role is None else Role(form.role)
    return _shape(await users.change_user(context, viewer, user_id, name=form.name, role=role))


@post("/api/users/{user_id:str}/disable", status_code=200)
async def disable_user(user_id: str, viewer: Viewer, context: Context) -> UserShape:
    return _shape(await users.disable_user(context, viewer, user_id))


@post("/api/users/{user_id:str}/enable", status_code=200)
async def enable_user(user_id: str, viewer: Viewer, context: Context) -> UserShape:
    return _shape(await users.enable_user(context, viewer, user_id))


@delete("/api/users/{user_id:str}", status_code=200)
async def remove_user(
    user_id: str, request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> RemovedUserShape:
    heir_id = read_query(request, RemoveUser).transfer_to
    removed = await users.remove_user(context, viewer, user_id, heir_id)
    heir = removed.heir.id if removed.heir else None
    return RemovedUserShape(user=_shape(removed.user), mailboxes=removed.mailboxes, transferred_to=heir)


def _shape(user: User) -> UserShape:
    return UserShape(
        id=user.id,
        email=user.email,
        name=user.name,
        role=user.role.value,
        created_at=iso(user.created_at),
        updated_at=iso(user.updated_at),
        disabled_at=iso_or_none(user.disabled_at),
    )
