"""
The SMTP server: what `route1.mx.cloudflare.net` replies to a sending server.

Replies as reported by senders and measured by mailda and others in 2026; see `find_action` and `handover.py`.
Not here: SPF, DKIM and DMARC checks, block lists and TLS; the trace headers have "none" for each check.
"""

import asyncio
import logging
import secrets
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from email.utils import format_datetime, parseaddr
from typing import Any, Final

import httpx
from aiosmtpd.smtp import SMTP, Envelope, Session

from cloudflare_sandbox.handover import ACCEPTED, WORKER_FAILED, WORKER_THREW, hand_over
from cloudflare_sandbox.mail_records import find_subdomain, has_wildcard_mx
from cloudflare_sandbox.sandbox import Sandbox
from cloudflare_sandbox.state import Forwarded, State

MAX_BYTES: Final = 25 * 1024 * 1024
_TIMEOUT: Final = httpx.Timeout(30.0)
_HEADERS_READ: Final = 1 << 16
_CALLS_BEFORE_REJECTING: Final = 3  # workers-sdk issue 9069 and community thread 640090, both 2025
Action = dict[str, str | list[str]]
logging.getLogger("mail.log").setLevel(logging.ERROR)  # it would log every command, addresses included


class MailServer:
    """The state of the SMTP listener: its HTTP client and its open connections."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.client = httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False)
        self.connections: set[_Connection] = set()

    async def close(self) -> None:
        """Close every connection; a sender repeats each message that has no reply yet."""
        tasks = [task for connection in tuple(self.connections) if (task := connection.hang_up()) is not None]
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.client.aclose()

    def connection(self) -> "_Connection":
        return _Connection(self)


class _Connection(SMTP):
    """One SMTP session. Lines of any length are accepted."""

    line_length_limit = MAX_BYTES  # a message with bare line feeds is one line to aiosmtpd

    def __init__(self, server: MailServer) -> None:
        super().__init__(
            _Handler(server),
            data_size_limit=MAX_BYTES,
            enable_SMTPUTF8=True,
            hostname="mx.cloudflare.net",
            ident="Cloudflare Email ESMTP Service",
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            loop=asyncio.get_running_loop(),
        )
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._server.connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._server.connections.discard(self)
        super().connection_lost(error)

    def hang_up(self) -> "asyncio.Task[None] | None":
        """Close the connection and return the task that served it, now cancelled."""
        task: asyncio.Task[None] | None = self._handler_coroutine
        if self.transport is not None:
            self.transport.close()
        if task is not None:
            task.cancel()
        return task


class _Handler:
    """The handlers of the commands; aiosmtpd requires these names."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if find_action(self._server.sandbox.state, address) is None:
            return _no_such_address()
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """One reply for all recipients: a temporary failure wins, so that the sender tries again; then a refusal."""
        recipients = dict.fromkeys(envelope.rcpt_tos)
        replies = await asyncio.gather(*(self._deliver(session, envelope, recipient) for recipient in recipients))
        return sorted(replies, key=_urgency)[0]

    async def _deliver(self, session: Session, envelope: Envelope, recipient: str) -> str:
        sandbox = self._server.sandbox
        sender = envelope.mail_from or ""
        sender = "" if sender == "<>" else sender  # how aiosmtpd writes the null sender of a bounce
        raw = bytes(envelope.original_content or b"")
        action = find_action(sandbox.state, recipient)
        if action is None:
            return _no_such_address()
        value = "".join(action.get("value", ()))
        if action["type"] == "forward":
            sandbox.state.forwarded.append(Forwarded(sender, recipient, value, len(raw)))
            sandbox.save()
        if action["type"] != "worker":
            return ACCEPTED
        traced = trace_headers(session, sender, recipient, raw) + raw
        is_temporary = sandbox.state.switches.worker_throw_is_temporary
        for _ in range(1 if is_temporary else _CALLS_BEFORE_REJECTING):
            worker = sandbox.state.workers.get(value)
            reply = await hand_over(self._server.client, worker, sender, recipient, traced)
            if reply != WORKER_THREW:
                return reply
        return WORKER_THREW if is_temporary else WORKER_FAILED


def find_action(state: State, address: str) -> Action | None:
    """
    The action for a message to *address*; None if there is no such address.

    The zone must be active and Email Routing on, for a subdomain also there. A literal rule beats the
    catch-all, the lower priority number comes first, a disabled rule counts as none (undocumented).
    The catch-all covers the apex only (docs, September 2026), unless a switch changes that.
    """
    local, _, host = address.lower().rpartition("@")
    zone = state.find_zone_of(host.rstrip("."))
    if zone is None or zone.status != "active" or not zone.routing.enabled:
        return None
    is_apex = host.rstrip(".") == zone.name
    is_on = is_apex or find_subdomain(zone, host.rstrip(".")) is not None
    if not is_on and not (state.switches.wildcard_mx_receives and has_wildcard_mx(zone)):
        return None
    literals = [f"{local}@{host.rstrip('.')}"]
    if zone.routing.support_subaddress and "+" in local:
        literals.append(f"{local.partition('+')[0]}@{host.rstrip('.')}")
    enabled = sorted((rule for rule in zone.routing.rules if rule.enabled), key=lambda rule: rule.priority)
    for literal in literals:
        for rule in enabled:
            if rule.literal() == literal:
                return rule.actions[0]
    covers = is_apex or state.switches.catch_all_covers_subdomains
    return zone.routing.catch_all.actions[0] if zone.routing.catch_all.enabled and covers else None


def trace_headers(session: Session, sender: str, recipient: str, raw: bytes) -> bytes:
    """What Cloudflare puts before a message (captured by mailda in 2026), with "none" as the result of every check."""
    host, peer = _one_line(session.host_name or "unknown"), _peer(session)
    no_spf = "mx.cloudflare.net: no SPF records found for"
    mail_from = _one_line(sender) or f"postmaster@{host}"
    checks = (
        "dkim=none",
        f"dmarc=none header.from={_from_domain(raw)} policy.dmarc=none",
        f"spf=none ({no_spf} postmaster@{host}) smtp.helo={host}",
        f"spf=none ({no_spf} {mail_from}) smtp.mailfrom={mail_from}",
        f'arc=none smtp.remote-ip="{peer}"',
    )
    lines = (
        f"Received: from {host} ({peer})",
        f"        by cloudflare-email.net (cloudflare) id {secrets.token_urlsafe(9)}",
        f"        for <{_one_line(recipient)}>; {format_datetime(datetime.now(UTC))}",
        f"Received-SPF: none ({no_spf} {mail_from}) receiver=mx.cloudflare.net; client-ip={peer};",
        f'        envelope-from="{mail_from}"; helo={host};',
        "Authentication-Results: mx.cloudflare.net; " + "; ".join(checks),
    )
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")


def _from_domain(raw: bytes) -> str:
    head = raw[:_HEADERS_READ].partition(b"\r\n\r\n")[0]
    value = str(BytesHeaderParser().parsebytes(head).get("From", ""))
    return _one_line(parseaddr(value)[1].rpartition("@")[2]) or "unknown"


def _one_line(text: str) -> str:
    """*text* without anything that could begin another header or leave this one."""
    return "".join(letter for letter in text if letter.isprintable() and letter not in ' ;()"<>')


def _peer(session: Any) -> str:
    return str(session.peer[0]) if session.peer else "unknown"


def _no_such_address() -> str:
    return f"550 5.1.1 Address does not exist. {secrets.token_urlsafe(9)}"


def _urgency(reply: str) -> int:
    return {"4": 0, "5": 1}.get(reply[0], 2)
