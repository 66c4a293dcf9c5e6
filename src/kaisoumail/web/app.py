"""The whole control plane at a glance."""

from typing import Final

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from kaisoumail.web import assets, domains, guide, login, messages, preferences, workspace
from kaisoumail.web.problems import HANDLERS
from kaisoumail.web.session import provide_context, provide_viewer

MAX_FORM_BYTES: Final = 16 * 1024

PAGES: Final[tuple[ControllerRouterHandler, ...]] = (
    # anybody
    login.start,  #                  GET  /
    login.show_login,  #             GET  /login
    login.log_in,  #                 POST /login
    login.log_out,  #                POST /logout
    preferences.save_preferences,  # POST /preferences
    assets.read_asset,  #            GET  /static/{name}
    guide.show_index,  #             GET  /docs
    guide.show_page,  #              GET  /docs/{slug}
    # signed in
    workspace.show_workspace,  #     GET  /workspace
    workspace.create_mailbox,  #     POST /workspace
    workspace.show_lists,  #         GET  /workspace/lists
    messages.show_message,  #        GET  /messages/{id}
    messages.show_body,  #           GET  /messages/{id}/body
    messages.mark_message,  #        POST /messages/{id}/read
    # admins
    domains.show_domains,  #         GET  /domains
    domains.show_token,  #           GET  /domains/token
    domains.check,  #                GET  /domains/check
    domains.show_rows,  #            GET  /domains/rows
    domains.show_binding,  #         GET  /domains/binding
    domains.show_live,  #            GET  /domains/{key}/live
    domains.bind,  #                 POST /domains
    domains.enable,  #               POST /domains/enable
    domains.delete,  #               POST /domains/{id}/delete
    domains.retry,  #                POST /domains/{id}/retry
    domains.disable,  #              POST /domains/{id}/disable
)


def router() -> Router:
    """The pages. `state["context"]` of the application holds the Context."""
    return Router(
        path="/",
        route_handlers=list(PAGES),
        dependencies={"context": Provide(provide_context, sync_to_thread=False), "viewer": Provide(provide_viewer)},
        exception_handlers=HANDLERS,
        request_max_body_size=MAX_FORM_BYTES,
        include_in_schema=False,
    )
