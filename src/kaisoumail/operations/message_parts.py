"""The parts of one message: its attachments, its HTML as a document, and the pictures in it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from kaisoumail.auth.picture_tickets import is_picture_ticket, picture_ticket
from kaisoumail.errors import Problem
from kaisoumail.model.message import attachment_number, part_id
from kaisoumail.model.user import Viewer
from kaisoumail.operations.messages import OpenedMessage, open_message, raw_message, raw_unasked
from kaisoumail.parsing.authentication import Authentication, Finding
from kaisoumail.parsing.html_document import document_policy, html_document
from kaisoumail.parsing.mime import Attachment, find_attachment
from kaisoumail.parsing.sanitize import SanitizedHtml, safe_html
from kaisoumail.workflows.context import Context

__all__ = [
    "PICTURES",
    "Attachment",
    "Authentication",
    "Document",
    "File",
    "Finding",
    "attachment",
    "document",
    "picture",
]

# Types in which no browser runs anything. Content of any other type is sent as bytes without a type.
PICTURES: Final = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"))
INERT: Final = PICTURES | {"application/pdf", "application/zip", "text/plain", "text/csv", "text/calendar"}
UNKNOWN_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class File:
    """An attachment to be sent on: a browser may safely act on *content_type*."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Document:
    """A message's HTML as a document, the *policy* (CSP) to serve it with, and the number of pictures *blocked*."""

    html: str
    policy: str
    blocked: int


async def attachment(context: Context, viewer: Viewer, message_id: str, attachment_id: str) -> File:
    """
    One attachment, decoded.

    Raises Problem `message_not_found`, also for a message of another user, `raw_message_missing` or
    `attachment_not_found`.
    """
    return await _file(await raw_message(context, viewer, message_id, hide_foreign=True), message_id, attachment_id)


async def picture(context: Context, message_id: str, attachment_id: str, ticket: str) -> File:
    """
    The picture that *ticket* is for; the ticket replaces authentication.

    Raises Problem `attachment_not_found` for a wrong or expired ticket, or an attachment that is no picture;
    `message_not_found` or `raw_message_missing` for a message that was deleted since the ticket was made.
    """
    now = context.clock()
    if not any(is_picture_ticket(ticket, secret, message_id, attachment_id, now) for secret in context.policy.secrets):
        raise _not_found()
    file = await _file(await raw_unasked(context, message_id), message_id, attachment_id)
    if file.content_type not in PICTURES:
        raise _not_found()
    return file


async def document(context: Context, viewer: Viewer, message_id: str, *, remote: bool, language: str = "") -> Document:
    """
    The sanitized HTML body as a document in *language*; with *remote*, pictures from other servers are shown.

    Raises Problem `message_not_found`, also for a message of another user, `raw_message_missing` or
    `html_body_missing`.
    """
    opened = await open_message(context, viewer, message_id, hide_foreign=True)
    if opened.parsed.html is None:
        raise Problem("html_body_missing", "This message has no HTML body")
    safe = await safe_fragment(context, opened, remote=remote)
    text = html_document(safe.html, title=opened.message.subject, language=language)
    return Document(text, document_policy(remote=remote), safe.blocked)


async def safe_fragment(context: Context, opened: OpenedMessage, *, remote: bool = False) -> SanitizedHtml:
    """The sanitized HTML body of *opened*, with the pictures that are attached to the message."""
    return await asyncio.to_thread(safe_html, opened.parsed.html or "", _pictures(context, opened), remote=remote)


def _pictures(context: Context, opened: OpenedMessage) -> Mapping[str, str]:
    """The URL of each attached picture, by its Content-ID; the first if several have the same."""
    message_id, now = opened.message.id, context.clock()
    found: dict[str, str] = {}
    for number, each in enumerate(opened.parsed.attachments):
        if each.content_id and each.content_type in PICTURES:
            attachment_id = part_id("att", message_id, number)
            ticket = picture_ticket(context.policy.session_secret, message_id, attachment_id, now)
            url = f"/api/messages/{quote(message_id)}/pictures/{attachment_id}?ticket={ticket}"
            found.setdefault(each.content_id.strip("<>"), url)
    return found


async def _file(raw: bytes, message_id: str, attachment_id: str) -> File:
    number = attachment_number(message_id, attachment_id)
    found = None if number is None else await asyncio.to_thread(find_attachment, raw, number)
    if found is None:
        raise _not_found()
    listed, content = found
    content_type = listed.content_type if listed.content_type in INERT else UNKNOWN_TYPE
    return File(listed.filename or f"attachment-{(number or 0) + 1}", content_type, content)


def _not_found() -> Problem:
    return Problem("attachment_not_found", "Attachment not found")
