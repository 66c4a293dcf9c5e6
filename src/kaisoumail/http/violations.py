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
    return Violation(414, "uri_too_long", f"A URL has at most {bounds.head_bytes} bytes")


def too_many_fields(bounds: RequestBounds) -> Violation:
    most = f"{bounds.fields} header fields and {bounds.head_bytes} bytes of them"
    return Violation(431, "header_fields_too_large", f"A request has at most {most}")
