"""The answer to a COMMIT is lost on the way: whether the mail is kept is unknown for a moment, and its bytes stay."""

import os
from pathlib import Path

import pytest

from tests.builders import an_email
from tests.crash.senders import DOORS, a_sender, ready, stored
from tests.ports import reserved_port
from tests.postgres_proxy import a_postgres_proxy
from tests.servers import a_world


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("size", [8_000, 90_000], ids=["in its row", "in the blob store"])
def test_a_mail_is_kept_once_and_whole_though_its_commit_was_not_answered(
    tmp_path: Path, postgres_url: str, door: str, size: int
) -> None:
    port, raw = reserved_port(), an_email(subject="Unanswered", text=os.urandom(size // 2).hex())
    with (
        a_postgres_proxy(postgres_url) as proxy,
        a_world(tmp_path, DATABASE_URL=proxy.url, SMTP_PORT=str(port)) as world,
        world.product() as product,
    ):
        ready(product)
        proxy.unanswered = b"Unanswered"
        with a_sender(door, product, port) as sender:
            first, again = sender.send(raw), sender.send(raw)

        assert proxy.lost == 1
        assert (first, again) == ("later", "kept")
        assert list(stored(product).values()) == [raw]
