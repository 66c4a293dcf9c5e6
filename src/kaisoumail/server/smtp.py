"""The SMTP listener."""

import socket
import ssl
from contextlib import AsyncExitStack

from kaisoumail.model.refusal_log import RefusalLog
from kaisoumail.network.connection_budget import ConnectionLimits
from kaisoumail.server.cannot_start import CannotStart
from kaisoumail.settings.groups import InboundSettings
from kaisoumail.smtp.listener import SmtpListener
from kaisoumail.smtp.session import SharedLimits, SmtpConfig
from kaisoumail.workflows.context import Context


async def open_smtp(
    stack: AsyncExitStack, context: Context, settings: InboundSettings, connections: int, refusals: RefusalLog
) -> int | None:
    """Listen until *stack* ends; returns the port, None if SMTP is switched off. Raises CannotStart."""
    if settings.smtp_port == 0:
        return None
    config = SmtpConfig(socket.gethostname(), tls=_smtp_tls(settings))
    limits = ConnectionLimits(connections, settings.smtp_max_connections_per_client)
    shared = SharedLimits(refusals=refusals)
    listener = SmtpListener(context, config, limits, shared)
    try:
        port = await listener.open(settings.smtp_host, settings.smtp_port)
    except OSError as error:
        raise CannotStart(
            f"SMTP port {settings.smtp_port} on {settings.smtp_host} cannot be used: {error.strerror}"
        ) from error
    stack.push_async_callback(listener.close)
    return port


def _smtp_tls(settings: InboundSettings) -> ssl.SSLContext | None:
    """The TLS context of the SMTP listener; None without a certificate. Raises CannotStart for unusable files."""
    if settings.smtp_tls_cert is None:
        return None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        tls.load_cert_chain(settings.smtp_tls_cert, settings.smtp_tls_key)
    except OSError as error:  # ssl.SSLError is an OSError
        reason = error.strerror or error
        raise CannotStart(f"SMTP_TLS_CERT {settings.smtp_tls_cert} cannot be used: {reason}") from error
    return tls
