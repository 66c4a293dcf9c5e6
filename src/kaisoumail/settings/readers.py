"""
Readers for the text of environment variables: each returns the value, or raises `InvalidValue`.
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from kaisoumail.model.address import is_email
from kaisoumail.model.web_origin import web_origin


class InvalidValue(ValueError):
    """A value that cannot be used. Its text is what is expected, and never contains a secret."""


def text(value: str) -> str:
    return value


def boolean(value: str) -> bool:
    match value.lower():
        case "true":
            return True
        case "false":
            return False
    raise InvalidValue("must be true or false")


def whole(low: int, high: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,15}", value) or not low <= int(value) <= high:
            raise InvalidValue(f"must be a whole number from {low} to {high}")
        return int(value)

    return read


def millions(low: int, high: int) -> Callable[[str], int]:
    read = whole(low, high)
    return lambda value: read(value) * 1_000_000


def secret(length: int) -> Callable[[str], str]:
    def read(value: str) -> str:
        if len(value) < length:
            raise InvalidValue(f"must have at least {length} characters")
        return value

    return read


def secrets(length: int) -> Callable[[str], tuple[str, ...]]:
    def read(value: str) -> tuple[str, ...]:
        if any(len(secret) < length for secret in value.split()):
            raise InvalidValue(f"must be texts of at least {length} characters, separated by spaces")
        return tuple(value.split())

    return read


def token(value: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise InvalidValue("must be one line of printable characters without spaces; was it pasted with a line break?")
    return value


def email(value: str) -> str:
    if not is_email(value):
        raise InvalidValue("must be an e-mail address")
    return value


def origin(value: str) -> str:
    try:
        return web_origin(value)
    except ValueError as error:
        raise InvalidValue(str(error)) from None


def origins(value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(origin(item.strip()) for item in value.split(",") if item.strip()))


def networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(item.strip()) for item in value.split(",") if item.strip())
    except ValueError:
        raise InvalidValue("must be IP addresses or networks separated by commas, such as 10.0.0.0/8, ::1") from None


def url_of(*schemes: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise InvalidValue("must begin with " + " or ".join(f"{scheme}://" for scheme in schemes))
        return value

    return read


def resolver(value: str) -> tuple[str, int]:
    parts = urlsplit(f"//{value}")
    try:
        host, port = str(ip_address(parts.hostname or "")), parts.port
    except ValueError:
        host, port = "", None
    if not host or parts.netloc != value or port == 0:
        raise InvalidValue(
            "must be an IP address, with a port if it is not 53, such as 1.1.1.1:53 or [2606:4700:4700::1111]"
        )
    return host, port or 53
