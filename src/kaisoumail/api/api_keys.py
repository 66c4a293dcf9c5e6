"""`/api/api-keys`."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post

from kaisoumail.api.fields import InstantText, instant, read_body, read_query
from kaisoumail.api.shapes import NO_STORE, Instant, Shape
from kaisoumail.model.access import DEFAULT_SCOPES, SCOPES, Grant
from kaisoumail.model.clock import iso, iso_or_none
from kaisoumail.model.credential import ApiKey
from kaisoumail.model.user import Viewer
from kaisoumail.operations import api_keys
from kaisoumail.operations.context import Context

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Id = Annotated[str, msgspec.Meta(max_length=48)]
_Scope = Annotated[str, msgspec.Meta(max_length=64, extra_json_schema={"enum": list(SCOPES)})]
_Scopes = Annotated[list[_Scope], msgspec.Meta(max_length=32)]


class MakeKey(msgspec.Struct, rename="camel"):
    name: _Name
    scopes: _Scopes | None = None
    expires_at: InstantText | None = None
    mailbox_id: _Id | None = None
    domain_id: _Id | None = None
    user_id: _Id | None = None

    @property
    def grant(self) -> Grant:
        """
        The requested grant; without `scopes` it has `DEFAULT_SCOPES`.

        Raises Problem `invalid_request` for an `expiresAt` that is no instant.
        """
        scopes = DEFAULT_SCOPES if self.scopes is None else tuple(dict.fromkeys(self.scopes))
        until = None if self.expires_at is None else instant(self.expires_at, "expiresAt")
        return Grant(scopes, self.mailbox_id, self.domain_id, until)


class RenameKey(msgspec.Struct, rename="camel"):
    name: _Name


class ListKeys(msgspec.Struct, rename="camel"):
    user_id: _Id | None = None


class ApiKeyShape(Shape):
    id: str
    name: str
    prefix: str
    scopes: list[str]
    created_at: Instant
    last_used_at: Instant | None
    revoked_at: Instant | None
    # added to the contract
    expires_at: Instant | None
    mailbox_id: str | None
    domain_id: str | None
    created_by: str | None


class ApiKeyListShape(Shape):
    api_keys: list[ApiKeyShape]


class MadeKeyShape(Shape):
    api_key: str
    api_key_record: ApiKeyShape


@get("/api/api-keys")
async def list_keys(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> ApiKeyListShape:
    user_id = read_query(request, ListKeys).user_id
    return ApiKeyListShape(api_keys=[key_shape(key) for key in await api_keys.list_keys(context, viewer, user_id)])


@post("/api/api-keys")
async def make_key(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[MadeKeyShape]:
    form = await read_body(request, MakeKey)
    made = await api_keys.make_key(context, viewer, form.name, form.grant, form.user_id)
    shape = MadeKeyShape(api_key=made.secret, api_key_record=key_shape(made.key))
    return Response(shape, status_code=201, headers=NO_STORE)


@post("/api/api-keys/{key_id:str}/rename", status_code=200)
async def rename_key(key_id: str, request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> ApiKeyShape:
    form = await read_body(request, RenameKey)
    return key_shape(await api_keys.rename_key(context, viewer, key_id, form.name))


@post("/api/api-keys/{key_id:str}/revoke", status_code=204)
async def revoke_key(key_id: str, viewer: Viewer, context: Context) -> None:
    await api_keys.revoke_key(context, viewer, key_id)


def key_shape(key: ApiKey) -> ApiKeyShape:
    return ApiKeyShape(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        scopes=list(key.grant.scopes),
        created_at=iso(key.created_at),
        last_used_at=iso_or_none(key.last_used_at),
        revoked_at=iso_or_none(key.revoked_at),
        expires_at=iso_or_none(key.grant.expires_at),
        mailbox_id=key.grant.mailbox_id,
        domain_id=key.grant.domain_id,
        created_by=key.created_by,
    )
