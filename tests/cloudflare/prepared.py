"""A server on loopback that answers what a test prepared, byte for byte: also what no HTTP library would send."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

# Method and target of a request → the whole answer, status line and all.
AnswerWith = Callable[[str, str], bytes]


@asynccontextmanager
async def a_prepared_server(answer: AnswerWith, delay: float = 0) -> AsyncIterator[str]:
    """The URL of a server that answers after *delay* seconds, and closes each connection then."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        await reader.readexactly(int(length[1]) if length else 0)
        method, target, _ = head.split(" ", 2)
        await asyncio.sleep(delay)
        writer.write(answer(method, target))
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


def http(status: int, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", "connection: close", "content-type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
