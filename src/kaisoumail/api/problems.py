"""Refusals of the API: those of `http/problems.py`, and `mailbox_exists` with the mailbox that exists."""

from typing import Any, Final

from litestar import Request, Response

from kaisoumail.api.shapes import mailbox_shape
from kaisoumail.http import problems
from kaisoumail.http.authentication import provide_context
from kaisoumail.operations.mailboxes import MailboxExists


def on_mailbox_exists(request: "Request[Any, Any, Any]", problem: MailboxExists) -> Response[Any]:
    """409 with the mailbox in `details.mailbox`, in its state of now."""
    now = provide_context(request.app.state).clock()
    return problems.render(problem, mailbox=mailbox_shape(problem.mailbox, now))


HANDLERS: Final[dict[Any, Any]] = {MailboxExists: on_mailbox_exists, **problems.HANDLERS}
