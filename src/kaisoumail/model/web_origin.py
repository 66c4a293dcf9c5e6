"""Web origins, written as browsers send them."""

from typing import Final
from urllib.parse import urlsplit

import idna

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def web_origin(text: str) -> str:
    """
    The origin that *text* names: host in ASCII, IPv6 in brackets, no port that the scheme implies.

    Raises ValueError with a sentence about what is expected.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        host = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except ValueError:  # idna.IDNAError is one
        raise ValueError("must be an origin such as https://mail.example.com") from None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise ValueError("must begin with http:// or https:// and name a host, such as https://mail.example.com")
    if parts.path not in ("", "/") or "@" in parts.netloc or "*" in parts.netloc or "?" in text or "#" in text:
        raise ValueError(
            "must be a scheme and a host alone, such as https://mail.example.com, without * and without a path"
        )
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, _DEFAULT_PORTS[parts.scheme]) else "")
