"""`kaisoumail email-worker deploy`."""

import asyncio
import ipaddress
import os
from typing import Annotated
from urllib.parse import urlsplit

import typer

from kaisoumail.cli import until_stopped
from kaisoumail.operations import email_worker
from kaisoumail.operations.email_worker import DeployOutcome, EmailWorker
from kaisoumail.server.cannot_start import CannotStart
from kaisoumail.server.context import open_cloudflare
from kaisoumail.server.logs import log_to_stderr
from kaisoumail.settings import Settings, settings_from

app = typer.Typer(help="Look after the Email Worker at Cloudflare.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _email_worker() -> None:
    """Look after the Email Worker at Cloudflare."""


@app.command()
def deploy(
    url: Annotated[str, typer.Option(help="Where this service answers, such as https://mail.example.com.")],
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite another Worker of that name.")] = False,
) -> None:
    """Upload the Email Worker as EMAIL_WORKER_NAME, with the URL to hand messages over to; again is an update."""
    settings = settings_from(os.environ)
    log_to_stderr(level=50)
    origin = _origin(url)
    account_id, name, secret, token = _required(settings)
    worker = EmailWorker(account_id, name, origin, secret)

    async def work(_: asyncio.Event) -> DeployOutcome:
        async with open_cloudflare(settings, token) as cloudflare:
            return await email_worker.deploy(cloudflare, worker, replace=replace)

    outcome = until_stopped.run(work)
    if outcome is DeployOutcome.LEFT_ANOTHER:
        raise CannotStart(f"A Worker named {name} is there and is not this one; --replace overwrites it")
    print(f"the Worker {name} is deployed ({outcome.value})")
    print(f"it hands messages over to {origin}/api/inbound, signed with INBOUND_SECRET")
    print("next: run `serve` with the same EMAIL_WORKER_NAME and INBOUND_SECRET; `doctor` looks at all of it")


def _required(settings: Settings) -> tuple[str, str, str, str]:
    """
    The account, the Worker's name, the secret and the token. Raises CannotStart if one is not set.

    The shared token wins: that of the running service need not have the permission to write scripts.
    """
    cloudflare = settings.cloudflare
    values = {
        "CLOUDFLARE_ACCOUNT_ID": cloudflare.account_id,
        "EMAIL_WORKER_NAME": cloudflare.worker_name,
        "INBOUND_SECRET": settings.inbound.handover_secret,
        "CLOUDFLARE_API_TOKEN": cloudflare.shared_api_token or cloudflare.runtime_api_token,
    }
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise CannotStart(f"Not set: {', '.join(missing)}")
    account_id, name, secret, token = (value or "" for value in values.values())
    return account_id, name, secret, token


def _origin(url: str) -> str:
    """
    The origin of *url*: https, or http on this machine, because messages must not cross a network in clear text.

    Raises CannotStart for any other URL.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    is_bare = host is not None and not (parts.username or parts.query or parts.fragment or parts.path.strip("/"))
    if not is_bare or host is None or not (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))):
        raise CannotStart("--url must be https:// and a host, nothing after it, such as https://mail.example.com")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
