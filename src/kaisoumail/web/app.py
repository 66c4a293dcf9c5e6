"""The table of pages, and their router."""

from collections.abc import Mapping
from typing import Final

from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from kaisoumail.http.authentication import provide_context, provide_viewer, require_session
from kaisoumail.http.litestar_setup import UncopiedRouter
from kaisoumail.model.access import PUBLIC, Need, admin, may
from kaisoumail.web import assets, domains, guide, login, messages, passkeys, preferences, workspace
from kaisoumail.web.problems import HANDLERS

MAX_FORM_BYTES: Final = 16 * 1024

# The pages by the need they require (`model/access.py`).
PAGES: Final[Mapping[Need, tuple[ControllerRouterHandler, ...]]] = {
    PUBLIC: (
        login.start,  #                  GET  /
        login.show_login,  #             GET  /login
        login.log_in,  #                 POST /login
        login.log_out,  #                POST /logout
        preferences.save_preferences,  # POST /preferences
        assets.read_asset,  #            GET  /static/{name}
        guide.show_index,  #             GET  /docs
        guide.show_page,  #              GET  /docs/{slug}
    ),
    may("messages:read"): (
        workspace.show_workspace,  #     GET  /workspace
        workspace.show_lists,  #         GET  /workspace/lists
        messages.show_message,  #        GET  /messages/{id}
        messages.show_body,  #           GET  /messages/{id}/body
        messages.mark_message,  #        POST /messages/{id}/read
    ),
    may("mailboxes:write"): (
        workspace.create_mailbox,  #     POST /workspace
    ),
    may("keys:read"): (
        passkeys.show_passkeys,  #       GET  /passkeys
    ),
    may("keys:write"): (
        passkeys.rename,  #              POST /passkeys/{id}/rename
        passkeys.revoke,  #              POST /passkeys/{id}/revoke
    ),
    admin("domains:read"): (
        domains.show_domains,  #         GET  /domains
        domains.show_token,  #           GET  /domains/token
        domains.check,  #                GET  /domains/check
        domains.show_rows,  #            GET  /domains/rows
        domains.show_binding,  #         GET  /domains/binding
        domains.show_live,  #            GET  /domains/{key}/live
    ),
    admin("domains:write"): (
        domains.bind,  #                 POST /domains
        domains.enable,  #               POST /domains/enable
        domains.delete,  #               POST /domains/{id}/delete
        domains.retry,  #                POST /domains/{id}/retry
        domains.disable,  #              POST /domains/{id}/disable
    ),
}


def router() -> UncopiedRouter:
    """The router of the pages. `state["context"]` of the application holds the Context."""
    return UncopiedRouter(
        path="/",
        route_handlers=[UncopiedRouter("/", route_handlers=pages, opt={"need": need}) for need, pages in PAGES.items()],
        dependencies={
            "context": Provide(provide_context, sync_to_thread=False),
            "viewer": Provide(provide_viewer, sync_to_thread=False),
        },
        exception_handlers=HANDLERS,
        guards=[require_session],
        request_max_body_size=MAX_FORM_BYTES,
        include_in_schema=False,
    )
