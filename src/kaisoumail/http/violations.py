"""What a client may not send over HTTP, with the answer to it."""

from kaisoumail.http.limits import RequestBounds


class Violation(Exception):
    """The request exceeds a limit; httptools turns this into a parser error, with this as its context."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.sentence = sentence


def too_long_url(bounds: RequestBounds) -> Violation:
    """414 for a URL longer than *bounds* allow (RFC 9110, 15.5.15)."""
    return Violation(414, "uri_too_long", f"A URL has at most {bounds.head_bytes} bytes")


def too_many_fields(bounds: RequestBounds) -> Violation:
    """431 for more header fields, or more bytes in them, than *bounds* allow (RFC 6585, 5)."""
    most = f"{bounds.fields} header fields and {bounds.head_bytes} bytes of them"
    return Violation(431, "header_fields_too_large", f"A request has at most {most}")
