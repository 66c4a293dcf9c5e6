"""
`kaisoumail demo`: everything on one machine, nothing to configure.

It runs the sandbox and the product in one process. The first start binds a domain, creates a mailbox and
sends it a message, through the same interfaces that a user has; later starts make only what is missing of these.
"""

import asyncio
import secrets
import smtplib
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Annotated, Final

import httpx
import msgspec
import typer

import cloudflare_sandbox
from kaisoumail.auth import api_keys
from kaisoumail.cli import until_stopped
from kaisoumail.model.domain import DomainStatus
from kaisoumail.model.mailbox import MailboxStatus
from kaisoumail.model.user import RequestClient
from kaisoumail.operations import domains, mailboxes
from kaisoumail.operations.sign_in import viewer_with_key
from kaisoumail.server.cannot_start import CannotStart
from kaisoumail.server.data import sole_demo
from kaisoumail.server.logs import log_to_stderr
from kaisoumail.server.run import Running, running
from kaisoumail.settings import Settings, settings_from

DOMAIN: Final = "demo.example"
ADDRESS: Final = f"hello@mail.{DOMAIN}"
WORKER: Final = "kaisoumail-inbound"
PERMISSIONS: Final = ["Zone Write", "Zone Settings Write", "Email Routing Rules Write", "DNS Write"]


class DemoState(msgspec.Struct):
    """The secrets that must be the same at the next start."""

    admin_key: str
    session_secret: str
    inbound_secret: str


def demo(
    port: Annotated[int, typer.Option(help="Port of the API and the pages.", min=0, max=65535)] = 8787,
    smtp_port: Annotated[int, typer.Option(help="Port of our own SMTP listener.", min=0, max=65535)] = 2525,
    cloudflare_port: Annotated[int, typer.Option(help="Port of the pretend Cloudflare.", min=0, max=65535)] = 8788,
    cloudflare_smtp_port: Annotated[
        int, typer.Option(help="Port of the pretend Cloudflare's mail server.", min=0, max=65535)
    ] = 2526,
    data_dir: Annotated[Path, typer.Option(help="Where everything is stored.")] = Path("var/demo"),
) -> None:
    """Run everything on this machine, with a pretend Cloudflare; nothing to configure."""
    log_to_stderr(level=40)

    async def work(stop: asyncio.Event) -> None:
        state = _load_state(folder / "demo.json")
        pretend_cloudflare = cloudflare_sandbox.running(
            host="127.0.0.1",
            port=cloudflare_port,
            smtp_port=cloudflare_smtp_port,
            state_file=folder / "cloudflare.json",
        )
        try:
            async with pretend_cloudflare as pretend:
                settings = _settings(folder, state, pretend, port, smtp_port)
                async with running(settings) as server:
                    await _set_up(server, pretend, state)
                    _print_guide(server, pretend, state)
                    await stop.wait()
        except OSError as error:
            raise CannotStart(str(error)) from error

    with sole_demo(data_dir) as folder:
        until_stopped.run(work)


def _load_state(path: Path) -> DemoState:
    if path.exists():
        try:
            return msgspec.json.decode(path.read_bytes(), type=DemoState)
        except msgspec.MsgspecError as error:
            raise CannotStart(f"{path} cannot be read ({error}); remove its folder to start afresh") from error
    state = DemoState(api_keys.new_secret(), secrets.token_urlsafe(32), secrets.token_urlsafe(32))
    unfinished = path.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(msgspec.json.encode(state))
    unfinished.replace(path)
    return state


def _settings(
    folder: Path, state: DemoState, pretend: cloudflare_sandbox.Running, port: int, smtp_port: int
) -> Settings:
    token = pretend.mint_token(kind="user", permissions=PERMISSIONS, zones="all")
    return settings_from(
        {
            "SESSION_SECRET": state.session_secret,
            "PORT": str(port),
            "SMTP_PORT": str(smtp_port),
            "DATA_DIR": str(folder),
            "INBOUND_SECRET": state.inbound_secret,
            "EMAIL_ROUTING_MANAGEMENT_ENABLED": "true",
            "CLOUDFLARE_API_BASE_URL": pretend.api_url,
            "CLOUDFLARE_API_TOKEN": token,
            "CLOUDFLARE_ACCOUNT_ID": pretend.account_id,
            "EMAIL_WORKER_NAME": WORKER,
            "BOOTSTRAP_ADMIN_EMAIL": "admin@demo.example",
            "BOOTSTRAP_ADMIN_NAME": "Demo admin",
            "BOOTSTRAP_ADMIN_API_KEY": state.admin_key,
            # Passkeys need a host name, which 127.0.0.1 is not, and an origin with a fixed port.
            "WEB_APP_ORIGIN": f"http://localhost:{port}" if port else "",
        }
    )


async def _set_up(server: Running, pretend: cloudflare_sandbox.Running, state: DemoState) -> None:
    """
    Point the Worker at this server, bind the domain, delegate it, create the mailbox and send a message.

    Each of these unless an earlier start did it, which may have been stopped between any two. A domain that the user
    has disabled stays so, and a mailbox that is being destroyed is not made again before the next start.
    """
    context = server.context
    admin = await viewer_with_key(context, state.admin_key, RequestClient())
    if admin is None:
        raise CannotStart("The folder holds another demo's database; remove it to start afresh")
    async with httpx.AsyncClient(base_url=pretend.url) as controls:
        target = {"target": f"http://127.0.0.1:{server.http_port}/api/inbound", "secret": state.inbound_secret}
        (await controls.put(f"/_sandbox/workers/{WORKER}", json=target)).raise_for_status()
        known = {domain.root_domain: domain for domain in await domains.list_domains(context, admin)}
        domain = known.get(DOMAIN) or (await domains.bind(context, admin, DOMAIN)).domain
        if domain.status is DomainStatus.DISABLED:
            return
        if not domain.is_active:
            (await controls.post(f"/_sandbox/zones/{DOMAIN}/delegate")).raise_for_status()
            await domains.retry(context, admin, domain.id)
    destroying = await mailboxes.list_mailboxes(context, admin, mailboxes.MailboxQuery((MailboxStatus.DESTROYING,)))
    if ADDRESS in {str(mailbox.address) for mailbox in destroying}:
        return
    request = mailboxes.MailboxRequest("hello", "mail", DOMAIN, minutes=None)
    mailbox = (await mailboxes.ensure(context, admin, request)).mailbox
    if mailbox.message_count == 0:
        await asyncio.to_thread(_send, pretend.smtp_port)


def _send(smtp_port: int) -> None:
    """Send the sample message by SMTP to the sandbox, as any sending server would."""
    message = EmailMessage()
    message["From"], message["To"] = "Kaisou Shop <no-reply@shop.example>", ADDRESS
    message["Subject"] = "Your verification code is 482913"
    message["Date"], message["Message-ID"] = formatdate(usegmt=True), make_msgid(domain="shop.example")
    message.set_content("Welcome!\n\nYour verification code is 482913. It is good for ten minutes.\n")
    message.add_alternative(
        "<h1>Welcome!</h1><p>Your verification code is</p><p><strong>482913</strong></p>"
        "<p>It is good for ten minutes.</p>",
        subtype="html",
    )
    with smtplib.SMTP("127.0.0.1", smtp_port, timeout=30) as smtp:
        smtp.send_message(message)


def _print_guide(server: Running, pretend: cloudflare_sandbox.Running, state: DemoState) -> None:
    url, mx = f"http://127.0.0.1:{server.http_port}", pretend.smtp_port
    origin = next(iter(server.context.policy.trusted_origins), "off")
    smtp = f"127.0.0.1:{server.smtp_port}" if server.smtp_port else "off"
    print(
        f"""
KaisouMail, with a pretend Cloudflare beside it. Everything stays on this machine.

  pages and API              {url}
  the same, with passkeys    {origin}
  SMTP listener              {smtp}
  pretend Cloudflare's API   {pretend.api_url}
  pretend Cloudflare's mail  127.0.0.1:{mx}
  admin API key              {state.admin_key}
  domain                     {DOMAIN}, active, with the mailbox {ADDRESS}

Sign in at {url}/login with the key: one message with a code is there.
Send another, with Python:

  {_python_command(mx)}

or with swaks:

  {_swaks_command(mx)}

and read its code:

  {_read_command(url, state.admin_key)}
"""
    )
    print(f"ready {url}", flush=True)


def _python_command(mx: int) -> str:
    mail = f"From: me@sender.example\\r\\nTo: {ADDRESS}\\r\\nSubject: Your login code is 731964\\r\\n\\r\\nHello.\\r\\n"
    script = f'smtplib.SMTP("127.0.0.1", {mx}).sendmail("me@sender.example", "{ADDRESS}", "{mail}")'
    return f"python3 -c 'import smtplib; {script}'"


def _read_command(url: str, key: str) -> str:
    request = f'Request("{url}/api/messages", headers={{"Authorization": "Bearer {key}"}})'
    return f"python3 -c 'from urllib.request import *; print(urlopen({request}).read().decode())'"


def _swaks_command(mx: int) -> str:
    envelope = f"--server 127.0.0.1:{mx} --from me@sender.example --to {ADDRESS}"
    return f"swaks {envelope} --header 'Subject: Your login code is 518274' --body 'Hello from swaks.'"
