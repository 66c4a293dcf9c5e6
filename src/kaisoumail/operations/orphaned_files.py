"""
Files in the blob store that belong to no message.

The bytes of a large message are written before its row: a process that dies in between leaves a whole file, or a
part of one.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from kaisoumail.storage.blobs import StoredBlob
from kaisoumail.storage.tables import messages, users
from kaisoumail.workflows.context import Context

_WHOLE: Final = re.compile(r"(msg_[0-9a-z]+)\.[a-z]+")
_PART: Final = re.compile(r"\.msg_[0-9a-z]+\.[a-z]+\.[0-9a-f]{8}")
_SETTLE_SECONDS: Final = 60.0  # by then every write in progress is committed or rolled back
_IDS_AT_ONCE: Final = 500
_log: Final = structlog.get_logger("kaisoumail.retention")


async def _wait_for_writes() -> None:
    await asyncio.sleep(_SETTLE_SECONDS)


async def remove_orphaned_files(
    context: Context, age: timedelta, wait_for_writes: Callable[[], Awaitable[None]] = _wait_for_writes
) -> int:
    """
    Remove files that were written longer than *age* ago and belong to no message; how many.

    Files without a row are looked up again when *wait_for_writes* returns: after a clock step, or when the machine
    slept, the file of a message that is being stored can seem old. Files from before the first user were written for
    another database than this one: they stay, with a warning, because that database may be restored.
    """
    first_user_at = await context.database.read(users.first_created_at)
    if first_user_at is None:
        return 0
    now, orphans, foreign = context.clock(), list[StoredBlob](), 0
    async for blobs in context.stores.blobs.listed():
        old = [blob for blob in blobs if blob.changed_at < now - age and _is_ours(blob)]
        for blob in await _without_row(context, old):
            if blob.changed_at < first_user_at:
                foreign += 1
            else:
                orphans.append(blob)
    if foreign:
        _log.warning("retention.files_of_another_database", count=foreign)
    if not orphans:
        return 0
    await wait_for_writes()
    still_orphaned = await _without_row(context, orphans)
    await context.stores.blobs.remove_listed(still_orphaned)
    return len(still_orphaned)


def _is_ours(blob: StoredBlob) -> bool:
    return bool(_WHOLE.fullmatch(blob.name) or _PART.fullmatch(blob.name))


async def _without_row(context: Context, blobs: Sequence[StoredBlob]) -> list[StoredBlob]:
    """Those of *blobs* that no message refers to; no message refers to a part."""
    without: list[StoredBlob] = []
    for start in range(0, len(blobs), _IDS_AT_ONCE):
        batch = blobs[start : start + _IDS_AT_ONCE]
        ids = [found[1] for blob in batch if (found := _WHOLE.fullmatch(blob.name))]
        locations = await context.database.read(partial(messages.locations_of, ids=ids))
        without += [blob for blob in batch if blob.name not in locations]
    return without
