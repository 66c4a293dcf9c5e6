"""
The accepting path through the database: mailboxes looked up and mails kept, those of a moment together.

One statement for sixty mails costs little more than one for a single mail, and one fsync serves them all.
"""

from collections.abc import Sequence
from functools import partial

from kaisoumail.errors import Problem
from kaisoumail.model.mailbox import Mailbox
from kaisoumail.storage import mailboxes, messages
from kaisoumail.storage.database import Database
from kaisoumail.storage.gathering import Gathered
from kaisoumail.storage.messages import Arrival


class Intake:
    """The two questions that every arriving mail asks."""

    def __init__(self, database: Database) -> None:
        async def find(addresses: Sequence[str]) -> Sequence[Mailbox | None]:
            return await database.read(partial(mailboxes.find_all_live, addresses=addresses))

        async def keep(arrivals: Sequence[Arrival]) -> Sequence[str | Problem]:
            return await database.write(partial(messages.add_all, arrivals=arrivals))

        self._lookups: Gathered[str, Mailbox | None] = Gathered(find)
        self._arrivals: Gathered[Arrival, str] = Gathered(keep)

    async def find_live(self, address: str) -> Mailbox | None:
        """The one mailbox that holds *address* now, in any state but destroyed."""
        return await self._lookups.answer(address)

    async def keep(self, arrival: Arrival) -> str:
        """
        The id *arrival* is known by, once it is durable: its own, or that of an earlier same hand-over.

        Raises Problem `mailbox_unavailable` if its mailbox stopped receiving; then nothing is kept.
        """
        return await self._arrivals.answer(arrival)
