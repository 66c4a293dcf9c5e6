"""What Cloudflare says of a zone fits into what we keep of it."""

import json

from sqlalchemy import String

from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.cloudflare.zones import read_zone
from kaisoumail.storage.engine.schema import domains
from tests.cloudflare.stories import Controls, told


def test_a_status_nobody_knows_is_kept_as_far_as_a_row_of_ours_holds_it() -> None:
    zone = {"id": "a" * 32, "name": "customer.com", "status": "s" * 200, "name_servers": []}

    async def story(client: Cloudflare, controls: Controls) -> None:
        await controls.fault("GET", "/zones/*", content=json.dumps({"success": True, "errors": [], "result": zone}))

        read = await read_zone(client, "a" * 32)

        column = domains.c.zone_status.type
        assert isinstance(column, String)
        assert read.status == "s" * (column.length or 0)

    told(story)
