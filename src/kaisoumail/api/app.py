"""The whole JSON API at a glance."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from kaisoumail.api import auth, domains, events, mailboxes, message_parts, messages, meta, passkeys, rejections, wait
from kaisoumail.api.authenticate import provide_context, provide_viewer
from kaisoumail.api.problems import HANDLERS

MAX_BODY_BYTES: Final = 64 * 1024

ROUTES: Final[tuple[ControllerRouterHandler, ...]] = (
    # public
    meta.health,  #              GET    /health
    meta.version,  #             GET    /api/version
    meta.meta,  #                GET    /api/meta
    auth.create_session,  #      POST   /api/auth/session
    auth.end_session,  #         DELETE /api/auth/session
    auth.start_passkey_sign_in,  # POST /api/auth/passkey/options
    auth.finish_passkey_sign_in,  # POST /api/auth/passkey/verify
    # with a ticket
    message_parts.read_picture,  # GET  /api/messages/{id}/pictures/{id}
    # signed in
    auth.read_session,  #        GET    /api/auth/session
    mailboxes.list_mailboxes,  # GET    /api/mailboxes
    mailboxes.create_mailbox,  # POST   /api/mailboxes
    mailboxes.ensure_mailbox,  # POST   /api/mailboxes/ensure
    mailboxes.resolve_mailbox,  # GET   /api/mailboxes/resolve
    mailboxes.read_mailbox,  #   GET    /api/mailboxes/{id}
    wait.wait_in_mailbox,  #     GET    /api/mailboxes/{id}/wait
    messages.list_messages,  #   GET    /api/messages
    wait.wait_anywhere,  #       GET    /api/messages/wait
    messages.read_message,  #    GET    /api/messages/{id}
    messages.read_raw_message,  # GET   /api/messages/{id}/raw
    message_parts.read_html,  #  GET    /api/messages/{id}/html
    message_parts.read_attachment,  # GET /api/messages/{id}/attachments/{id}
    messages.mark_message,  #    POST   /api/messages/{id}/read
    messages.delete_message,  #  DELETE /api/messages/{id}
    events.follow,  #            GET    /api/events
    # signed in, by cookie alone
    passkeys.list_passkeys,  #   GET    /api/passkeys
    passkeys.start_registration,  # POST /api/passkeys/registration/options
    passkeys.finish_registration,  # POST /api/passkeys/registration/verify
    passkeys.rename_passkey,  #  POST   /api/passkeys/{id}/rename
    passkeys.revoke_passkey,  #  DELETE /api/passkeys/{id}
    # admins
    domains.list_domains,  #     GET    /api/domains
    domains.catalog,  #          GET    /api/domains/catalog
    domains.token_check,  #      GET    /api/domains/token-check
    domains.bind,  #             POST   /api/domains/bind
    domains.enable,  #           POST   /api/domains
    domains.events,  #           GET    /api/domains/{id}/events
    domains.retry,  #            POST   /api/domains/{id}/retry
    domains.delete,  #           POST   /api/domains/{id}/delete
    domains.disable,  #          POST   /api/domains/{id}/disable
    rejections.list_rejections,  # GET  /api/rejections
)


def router(more: Sequence[Any] = ()) -> Router:
    """The API, with *more* handlers that answer in its error envelope (the webhook door)."""
    return Router(
        path="/",
        route_handlers=[*ROUTES, *more],
        dependencies={"context": Provide(provide_context, sync_to_thread=False), "viewer": Provide(provide_viewer)},
        exception_handlers=HANDLERS,
        request_max_body_size=MAX_BODY_BYTES,
    )
