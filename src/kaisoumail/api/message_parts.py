"""`/api/messages/{id}/…`: attachments, the HTML as a document, and the pictures in it."""

import re
from typing import Any, Final, Literal
from urllib.parse import quote

import msgspec
from litestar import Request, Response, get

from kaisoumail.api.fields import read_query
from kaisoumail.model.user import Viewer
from kaisoumail.operations import message_parts
from kaisoumail.operations.context import Context
from kaisoumail.operations.message_parts import File

_NOT_QUOTABLE: Final = re.compile(r"[^A-Za-z0-9 ._()+,=@~!#$&^-]")
# For content of unknown senders: whatever type a browser assumes, nothing in it runs or is fetched.
_UNTRUSTED: Final = {
    "cache-control": "no-store",
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
}


class HtmlQuery(msgspec.Struct):
    remote: Literal["block", "allow"] = "block"


class PictureQuery(msgspec.Struct):
    ticket: str = ""


@get("/api/messages/{message_id:str}/attachments/{attachment_id:str}")
async def read_attachment(message_id: str, attachment_id: str, viewer: Viewer, context: Context) -> Response[bytes]:
    return _file_response(await message_parts.attachment(context, viewer, message_id, attachment_id))


@get("/api/messages/{message_id:str}/pictures/{attachment_id:str}")
async def read_picture(
    message_id: str, attachment_id: str, request: "Request[Any, Any, Any]", context: Context
) -> Response[bytes]:
    ticket = read_query(request, PictureQuery).ticket
    response = _file_response(await message_parts.picture(context, message_id, attachment_id, ticket))
    # The document that shows it is sandboxed and has an opaque origin: for the browser it is another site.
    response.headers["cross-origin-resource-policy"] = "cross-origin"
    return response


@get("/api/messages/{message_id:str}/html")
async def read_html(
    message_id: str, request: "Request[Any, Any, Any]", viewer: Viewer, context: Context
) -> Response[str]:
    remote = read_query(request, HtmlQuery).remote == "allow"
    document = await message_parts.document(context, viewer, message_id, remote=remote)
    headers = {
        **_UNTRUSTED,
        "content-security-policy": document.policy,
        "referrer-policy": "no-referrer",
        "x-blocked-pictures": str(document.blocked),
    }
    return Response(document.html, headers=headers, media_type="text/html")


def _file_response(file: File) -> Response[bytes]:
    headers = {**_UNTRUSTED, "content-disposition": content_disposition(file.filename)}
    return Response(file.content, headers=headers, media_type=file.content_type)


def content_disposition(filename: str) -> str:
    """The `Content-Disposition` to save a file as *filename* (RFC 6266): in ASCII for old browsers, then unchanged."""
    plain = _NOT_QUOTABLE.sub("_", filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
