"""`/passkeys`: the viewer's passkeys. Registering one needs the script (`static/passkeys.js`), which calls the API."""

from typing import Any, Final

from litestar import Request, Response, get, post

from kaisoumail.auth.relying_party import find_relying_party
from kaisoumail.errors import Problem
from kaisoumail.model.user import Viewer
from kaisoumail.operations import passkeys
from kaisoumail.operations.context import Context
from kaisoumail.web.render import page, url
from kaisoumail.web.session import form_of, go_to

NOTICES: Final = ("registered", "renamed", "revoked")


@get("/passkeys")
async def show_passkeys(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    return await _passkeys(request, viewer, context)


@post("/passkeys/{passkey_id:str}/rename", status_code=303)
async def rename(request: "Request[Any, Any, Any]", passkey_id: str, viewer: Viewer, context: Context) -> Response[Any]:
    """303 back to the list; for an unfit name the list again, with 400. Raises Problem `passkey_not_found`."""
    name = (await form_of(request)).get("name", "")
    try:
        await passkeys.rename_passkey(context, viewer, passkey_id, name)
    except Problem as problem:
        if problem.code != "invalid_request":
            raise
        return await _passkeys(request, viewer, context, wrong=passkey_id)
    return go_to(url("/passkeys", notice="renamed", passkey=passkey_id))


@post("/passkeys/{passkey_id:str}/revoke", status_code=303)
async def revoke(passkey_id: str, viewer: Viewer, context: Context) -> Response[None]:
    await passkeys.revoke_passkey(context, viewer, passkey_id)
    return go_to(url("/passkeys", notice="revoked", passkey=passkey_id))


def passkey_origins(context: Context) -> tuple[str, ...]:
    """The origins where passkeys work, the primary one first; none when passkeys are not configured."""
    party = find_relying_party(context.policy.trusted_origins)
    return party.origins if party else ()


async def _passkeys(
    request: "Request[Any, Any, Any]", viewer: Viewer, context: Context, wrong: str | None = None
) -> Response[Any]:
    query = request.query_params
    found = await passkeys.list_passkeys(context, viewer)
    changed = next((passkey for passkey in found if passkey.id == query.get("passkey")), None)
    done = query.get("notice") if changed and query.get("notice") in NOTICES else None
    return page(
        request,
        "passkeys/page.html",
        status=400 if wrong else 200,
        passkeys=found,
        origins=passkey_origins(context),
        done=done,
        changed=changed,
        wrong=wrong,
    )
