"""The route table of the JSON API, and its router."""

from collections.abc import Mapping
from functools import cache
from typing import Final

import msgspec
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler

from kaisoumail.api import (
    api_keys,
    audit,
    auth,
    domains,
    events,
    mailboxes,
    message_parts,
    messages,
    meta,
    openapi,
    passkeys,
    rejections,
    sessions,
    users,
    wait,
)
from kaisoumail.api.description import DESCRIBED
from kaisoumail.api.problems import HANDLERS
from kaisoumail.http.authentication import provide_context, provide_viewer, require_viewer
from kaisoumail.http.litestar_setup import UncopiedRouter
from kaisoumail.model.access import PUBLIC, SIGNED_IN, Need, admin, by_cookie, may

MAX_BODY_BYTES: Final = 64 * 1024

# The routes by the need they require (`model/access.py`).
ROUTES: Final[Mapping[Need, tuple[HTTPRouteHandler, ...]]] = {
    PUBLIC: (
        meta.health,  #                GET    /health
        meta.ready,  #                 GET    /readyz
        meta.version,  #               GET    /api/version
        meta.meta,  #                  GET    /api/meta
        meta.openapi,  #               GET    /api/openapi.json
        auth.create_session,  #        POST   /api/auth/session
        auth.end_session,  #           DELETE /api/auth/session
        auth.start_passkey_sign_in,  # POST   /api/auth/passkey/options
        auth.finish_passkey_sign_in,  # POST  /api/auth/passkey/verify
        message_parts.read_picture,  # GET    /api/messages/{id}/pictures/{id}, with a ticket
    ),
    SIGNED_IN: (
        auth.read_session,  #          GET    /api/auth/session
    ),
    may("mailboxes:read"): (
        mailboxes.list_mailboxes,  #   GET    /api/mailboxes
        mailboxes.resolve_mailbox,  #  GET    /api/mailboxes/resolve
        mailboxes.read_mailbox,  #     GET    /api/mailboxes/{id}
    ),
    may("mailboxes:write"): (
        mailboxes.create_mailbox,  #   POST   /api/mailboxes
        mailboxes.ensure_mailbox,  #   POST   /api/mailboxes/ensure
        mailboxes.destroy_mailbox,  #  DELETE /api/mailboxes/{id}
    ),
    may("messages:read"): (
        wait.wait_in_mailbox,  #       GET    /api/mailboxes/{id}/wait
        wait.wait_anywhere,  #         GET    /api/messages/wait
        messages.list_messages,  #     GET    /api/messages
        messages.read_message,  #      GET    /api/messages/{id}
        messages.read_raw_message,  #  GET    /api/messages/{id}/raw
        message_parts.read_html,  #    GET    /api/messages/{id}/html
        message_parts.read_attachment,  # GET /api/messages/{id}/attachments/{id}
        messages.mark_message,  #      POST   /api/messages/{id}/read
        events.follow,  #              GET    /api/events
    ),
    may("messages:write"): (
        messages.delete_message,  #    DELETE /api/messages/{id}
    ),
    may("keys:read"): (
        api_keys.list_keys,  #         GET    /api/api-keys
        sessions.list_sessions,  #     GET    /api/sessions
    ),
    may("keys:write"): (
        api_keys.make_key,  #          POST   /api/api-keys
        api_keys.rename_key,  #        POST   /api/api-keys/{id}/rename
        api_keys.revoke_key,  #        POST   /api/api-keys/{id}/revoke
        sessions.end_session,  #       DELETE /api/sessions/{id}
        sessions.end_all_sessions,  #  POST   /api/sessions/end-all
    ),
    by_cookie("keys:read"): (
        passkeys.list_passkeys,  #     GET    /api/passkeys
    ),
    by_cookie("keys:write"): (
        passkeys.start_registration,  # POST  /api/passkeys/registration/options
        passkeys.finish_registration,  # POST /api/passkeys/registration/verify
        passkeys.rename_passkey,  #    POST   /api/passkeys/{id}/rename
        passkeys.revoke_passkey,  #    DELETE /api/passkeys/{id}
    ),
    admin("users:read"): (
        users.list_users,  #           GET    /api/users
    ),
    admin("users:write"): (
        users.add_user,  #             POST   /api/users
        users.change_user,  #          POST   /api/users/{id}
        users.disable_user,  #         POST   /api/users/{id}/disable
        users.enable_user,  #          POST   /api/users/{id}/enable
        users.remove_user,  #          DELETE /api/users/{id}
    ),
    admin("domains:read"): (
        domains.list_domains,  #       GET    /api/domains
        domains.catalog,  #            GET    /api/domains/catalog
        domains.token_check,  #        GET    /api/domains/token-check
        domains.events,  #             GET    /api/domains/{id}/events
        domains.capacity,  #           GET    /api/domains/{id}/capacity
        rejections.list_rejections,  # GET    /api/rejections
    ),
    admin("domains:write"): (
        domains.bind,  #               POST   /api/domains/bind
        domains.enable,  #             POST   /api/domains
        domains.retry,  #              POST   /api/domains/{id}/retry
        domains.delete,  #             POST   /api/domains/{id}/delete
        domains.disable,  #            POST   /api/domains/{id}/disable
    ),
    may("audit:read"): (
        audit.list_entries,  #         GET    /api/audit
    ),
}


@cache
def description() -> bytes:
    """The OpenAPI document as JSON (`openapi.py`)."""
    return msgspec.json.encode(openapi.document(ROUTES, DESCRIBED))


def router() -> UncopiedRouter:
    """The router of the API. `state["context"]` of the application holds the Context."""
    return UncopiedRouter(
        path="/",
        route_handlers=[
            UncopiedRouter("/", route_handlers=handlers, opt={"need": need}) for need, handlers in ROUTES.items()
        ],
        dependencies={
            "context": Provide(provide_context, sync_to_thread=False),
            "viewer": Provide(provide_viewer, sync_to_thread=False),
            "description": Provide(description, sync_to_thread=False),
        },
        guards=[require_viewer],
        exception_handlers=HANDLERS,
        request_max_body_size=MAX_BODY_BYTES,
    )
