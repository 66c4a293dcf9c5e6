"""Stories of the client and the pretend Cloudflare, over real HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

import cloudflare_sandbox
from kaisoumail.cloudflare.client import Cloudflare, WaitLimits

PERMISSIONS = ["Zone Write", "Zone Settings Write", "Email Routing Rules Write", "DNS Write"]
Story = Callable[[Cloudflare, "Controls"], Awaitable[None]]


class Controls:
    """The hands behind the pretend Cloudflare."""

    def __init__(self, pretend: cloudflare_sandbox.Running, http: httpx.AsyncClient, token: str) -> None:
        self.account_id = pretend.account_id
        self.token = token
        self._http = http

    async def fault(self, method: str, path: str, **what: Any) -> None:
        body = {"match": {"method": method, "path": path}, "times": 1, **what}
        (await self._http.post("/_sandbox/faults", json=body)).raise_for_status()

    async def delegate(self, name: str) -> None:
        (await self._http.post(f"/_sandbox/zones/{name}/delegate")).raise_for_status()

    async def calls(self) -> list[dict[str, Any]]:
        answer = (await self._http.get("/_sandbox/requests")).json()
        rows: list[dict[str, Any]] = answer["requests"] if isinstance(answer, dict) else answer
        return rows


def told(story: Story, permissions: list[str] | None = None, timeout: float = 30.0) -> None:
    """Run *story* with a client whose token has *permissions* on every zone."""

    async def run() -> None:
        async with cloudflare_sandbox.running(host="127.0.0.1", port=0, smtp_port=0) as pretend:
            token = pretend.mint_token(kind="user", permissions=permissions or PERMISSIONS, zones="all")
            client = Cloudflare(pretend.api_url, token, wait_limits=WaitLimits(answer=timeout))
            async with httpx.AsyncClient(base_url=pretend.url) as http:
                try:
                    await story(client, Controls(pretend, http, token))
                finally:
                    await client.close()

    asyncio.run(run())
