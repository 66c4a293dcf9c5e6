"""`/api/passkeys`: the viewer's passkeys. By session cookie only: an API key must not create lasting access."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post

from kaisoumail.api.fields import invalid, read_body
from kaisoumail.api.shapes import Instant, Shape, one_of
from kaisoumail.http.cookies import CookieResponse, challenge_cookie, challenge_token, clearing_challenge
from kaisoumail.model.clock import iso, iso_or_none
from kaisoumail.model.passkey import Passkey
from kaisoumail.model.user import Viewer
from kaisoumail.operations import passkeys
from kaisoumail.operations.context import Context


class NamePasskey(msgspec.Struct, rename="camel"):
    name: Annotated[str, msgspec.Meta(max_length=512)]


class CredentialForm(msgspec.Struct, rename="camel"):
    """The credential that `navigator.credentials` returned, as JSON; the ceremony checks its content."""

    response: dict[str, Any]


class PasskeyShape(Shape):
    id: str
    name: str
    credential_id: str
    device_type: Annotated[str, one_of("singleDevice", "multiDevice")]
    backed_up: bool
    transports: list[str]
    created_at: Instant
    last_used_at: Instant | None
    revoked_at: Instant | None


class PasskeysShape(Shape):
    passkeys: list[PasskeyShape]


@get("/api/passkeys")
async def list_passkeys(viewer: Viewer, context: Context) -> PasskeysShape:
    return PasskeysShape(passkeys=[_shape(passkey) for passkey in await passkeys.list_passkeys(context, viewer)])


@post("/api/passkeys/registration/options", status_code=200)
async def start_registration(
    request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> Response[dict[str, Any]]:
    form = await read_body(request, NamePasskey)
    ceremony = await passkeys.start_registration(context, viewer, form.name, request.headers.get("origin"))
    return CookieResponse(ceremony.options, challenge_cookie(context, "registration", ceremony.token))


@post("/api/passkeys/registration/verify", status_code=201)
async def finish_registration(
    request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> Response[PasskeyShape]:
    response = credential_in(await read_body(request, CredentialForm))

    async def answer() -> Response[PasskeyShape]:
        token = challenge_token(request, "registration")
        passkey = await passkeys.finish_registration(context, viewer, token, response)
        return CookieResponse(_shape(passkey), challenge_cookie(context, "registration", ""), status_code=201)

    return await clearing_challenge(context, "registration", answer())


@post("/api/passkeys/{passkey_id:str}/rename", status_code=200)
async def rename_passkey(
    request: "Request[Any, Any, Any]", passkey_id: str, viewer: Viewer, context: Context
) -> PasskeyShape:
    form = await read_body(request, NamePasskey)
    return _shape(await passkeys.rename_passkey(context, viewer, passkey_id, form.name))


@delete("/api/passkeys/{passkey_id:str}", status_code=204)
async def revoke_passkey(passkey_id: str, viewer: Viewer, context: Context) -> None:
    await passkeys.revoke_passkey(context, viewer, passkey_id)


def credential_in(form: CredentialForm) -> dict[str, Any]:
    """The credential in *form*. Raises Problem `invalid_request` unless it has an id."""
    if not (isinstance(form.response.get("id"), str) and form.response["id"]):
        raise invalid(field_errors={"response.id": ["Expected `str` of length >= 1"]})
    return form.response


def _shape(passkey: Passkey) -> PasskeyShape:
    return PasskeyShape(
        id=passkey.id,
        name=passkey.name,
        credential_id=passkey.credential_id,
        device_type=passkey.device_type,
        backed_up=passkey.backed_up,
        transports=list(passkey.transports),
        created_at=iso(passkey.created_at),
        last_used_at=iso_or_none(passkey.last_used_at),
        revoked_at=iso_or_none(passkey.revoked_at),
    )
