"""The parts of one message: its attachments, its HTML as a document, and the pictures in that."""

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
from kaisoumail.parsing.mime import Attachment, attached
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

# Types that no browser runs anything in. What is called anything else is sent as bytes without a type.
PICTURES: Final = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"))
INERT: Final = PICTURES | {"application/pdf", "application/zip", "text/plain", "text/csv", "text/calendar"}
UNKNOWN_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class File:
    """An attachment to be sent on: *content_type* is safe to be taken at its word by a browser."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Document:
    """A mail's HTML as a document: its text, the *policy* it must be served with, and the pictures *blocked*."""

    html: str
    policy: str
    blocked: int


async def attachment(context: Context, viewer: Viewer, message_id: str, attachment_id: str) -> File:
    """
    One attachment, decoded.

    Raises Problem `message_not_found`, for somebody else's too, `raw_message_missing` or `attachment_not_found`.
    """
    return await _file(await raw_message(context, viewer, message_id, hide_foreign=True), message_id, attachment_id)


async def picture(context: Context, message_id: str, attachment_id: str, ticket: str) -> File:
    """
    The picture that *ticket* opens, whoever asks. Raises Problem `attachment_not_found` for a wrong
    ticket, one whose time is over, or what is no picture.
    """
    now = context.clock()
    if not any(is_picture_ticket(ticket, secret, message_id, attachment_id, now) for secret in context.policy.secrets):
        raise _not_found()
    file = await _file(await raw_unasked(context, message_id), message_id, attachment_id)
    if file.content_type not in PICTURES:
        raise _not_found()
    return file


async def document(
    context: Context, viewer: Viewer, message_id: str, *, remote: bool, title: str = "", language: str = ""
) -> Document:
    """
    The HTML body made safe, as a document; with *remote*, pictures from elsewhere are shown.

    Raises Problem as `open_message`, and `html_body_missing`.
    """
    opened = await open_message(context, viewer, message_id, hide_foreign=True)
    if opened.parsed.html is None:
        raise Problem("html_body_missing", "This message has no HTML body")
    safe = await safe_fragment(context, opened, remote=remote)
    text = html_document(safe.html, title=title or opened.message.subject, language=language)
    return Document(text, document_policy(remote=remote), safe.blocked)


async def safe_fragment(context: Context, opened: OpenedMessage, *, remote: bool = False) -> SanitizedHtml:
    """The HTML body of *opened* made safe, with its own pictures in place."""
    return await asyncio.to_thread(safe_html, opened.parsed.html or "", _pictures(context, opened), remote=remote)


def _pictures(context: Context, opened: OpenedMessage) -> Mapping[str, str]:
    """Where each picture of the mail may be had, by its Content-ID; of doubles the first."""
    message_id, now = opened.message.id, context.clock()
    found: dict[str, str] = {}
    for number, each in enumerate(opened.parsed.attachments):
        if each.content_id and each.content_type in PICTURES:
            attachment_id = part_id("att", message_id, number)
            ticket = picture_ticket(context.policy.session_secret, message_id, attachment_id, now)
            address = f"/api/messages/{quote(message_id)}/pictures/{attachment_id}?ticket={ticket}"
            found.setdefault(each.content_id.strip("<>"), address)
    return found


async def _file(raw: bytes, message_id: str, attachment_id: str) -> File:
    number = attachment_number(message_id, attachment_id)
    found = None if number is None else await asyncio.to_thread(attached, raw, number)
    if found is None:
        raise _not_found()
    listed, content = found
    content_type = listed.content_type if listed.content_type in INERT else UNKNOWN_TYPE
    return File(listed.filename or f"attachment-{(number or 0) + 1}", content_type, content)


def _not_found() -> Problem:
    return Problem("attachment_not_found", "Attachment not found")
