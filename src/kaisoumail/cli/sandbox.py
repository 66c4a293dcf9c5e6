"""`kaisoumail sandbox`: the pretend Cloudflare alone."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

import cloudflare_sandbox
from kaisoumail.cli import until_stopped
from kaisoumail.server.cannot_start import CannotStart


def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the API.", min=0, max=65535)] = 8788,
    smtp_port: Annotated[int, typer.Option(help="Port of its mail server.", min=0, max=65535)] = 2526,
    state_file: Annotated[Path | None, typer.Option(help="Store its state in this file.")] = None,
) -> None:
    """Run a pretend Cloudflare: its API under /client/v4, its mail server, its controls under /_sandbox."""

    async def work(stop: asyncio.Event) -> None:
        try:
            async with cloudflare_sandbox.running(
                host=host, port=port, smtp_port=smtp_port, state_file=state_file
            ) as pretend:
                print(f"Cloudflare API  {pretend.api_url}")
                print(f"account id      {pretend.account_id}")
                print(f"mail server     {host}:{pretend.smtp_port}")
                print(f"ready {pretend.url}", flush=True)
                await stop.wait()
        except OSError as error:
            raise CannotStart(str(error)) from error

    until_stopped.run(work)
