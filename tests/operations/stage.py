"""One context for all tests of a module, and new rows of Ada's for each of them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import zstandard

from kaisoumail.model.access import Grant
from kaisoumail.model.audit import Target, audit_entry
from kaisoumail.model.credential import ApiKey
from kaisoumail.model.domain import Domain
from kaisoumail.model.ids import new_id
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.model.message import Message, part_id
from kaisoumail.model.passkey import Passkey
from kaisoumail.model.user import Role, User
from kaisoumail.operations.sign_in import start_session
from kaisoumail.operations.users import new_key
from kaisoumail.storage.intake import IncomingMessage
from kaisoumail.storage.tables import api_keys, audit, domains, mailboxes, passkeys, users
from kaisoumail.workflows.context import Context
from tests.builders import DEMO, a_mailbox, a_message, an_email
from tests.contexts import a_context
from tests.people import ADA, NOON

ORIGIN = "https://mail.example.com"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rows:
    """A mailbox of Ada's with a message, her key, passkey and session; a domain; a user whom nobody needs."""

    mailbox: Mailbox
    message: Message
    attachment_id: str
    key: ApiKey
    passkey: Passkey
    session_id: str
    domain: Domain
    user: User


class Stage:
    """A running context. `play` awaits what it is given in the context's own event loop."""

    def __init__(self, context: Context, runner: asyncio.Runner) -> None:
        self.context = context
        self._runner = runner

    def play(self, story: Callable[[], Awaitable[T]]) -> T:
        async def played() -> T:
            return await story()

        return self._runner.run(played())


@contextmanager
def a_stage(folder: Path) -> Iterator[Stage]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def opened() -> Context:
            return await stack.enter_async_context(a_context(folder, trusted_origins=(ORIGIN,)))

        yield Stage(runner.run(opened()), runner)
        runner.run(stack.aclose())


async def new_rows(context: Context) -> Rows:
    """New rows, which no other test has changed."""
    name = new_id("x")[2:14]
    mailbox = a_mailbox(f"{name}@mail.demo.example")
    raw = an_email(str(mailbox.address), html="<p>hello</p>", attachment=b"0123")
    message = a_message(mailbox, raw, has_html=True, attachment_count=1)
    key, _ = new_key(ADA.id, "Laptop", Grant(), NOON, created_by=None)
    passkey = Passkey(new_id("psk"), ADA.id, "Phone", name, b"-", 0, "single_device", False, (), NOON)
    domain = replace(DEMO, id=new_id("dom"), root_domain=f"{name}.example", zone_id=name)
    user = User(new_id("usr"), f"{name}@people.example", name, Role.MEMBER, NOON, NOON)
    write = context.database.write
    await write(lambda c: mailboxes.add(c, mailbox))
    await write(lambda c: api_keys.add(c, key))
    await write(lambda c: passkeys.add(c, passkey))
    await write(lambda c: domains.save(c, domain))
    await write(lambda c: users.add(c, user))
    target = Target(mailbox.id, str(mailbox.address), ADA.id)
    await write(lambda c: audit.add(c, audit_entry(ADA, "mailbox.create", NOON, target)))
    await context.stores.intake.store(IncomingMessage(message, zstandard.compress(raw)))
    session = await start_session(context, replace(ADA, key_id=key.id))
    attachment_id = part_id("att", message.id, 0)
    return Rows(mailbox, message, attachment_id, key, passkey, str(session.viewer.session_id), domain, user)
