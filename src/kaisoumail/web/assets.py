"""`/static`: the style sheets, scripts and the icon, read once at start and named with a hash of their content."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from litestar import Request, Response, get

from kaisoumail.errors import Problem

_FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    compressed: bytes
    media_type: str
    version: str


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    version = hashlib.sha256(content).hexdigest()[:12]
    return Asset(content, gzip.compress(content, mtime=0), _TYPES[path.suffix], version)


ASSETS: Final = {
    path.relative_to(_FOLDER).as_posix(): _read(path)
    for path in sorted(_FOLDER.rglob("*"))
    if path.suffix in _TYPES and path.is_file()
}


def asset_url(name: str) -> str:
    """The URL of *name*. It changes with the content, so the answer may be cached for ever."""
    return f"/static/{name}?v={ASSETS[name].version}"


@get("/static/{name:path}")
async def read_asset(name: str, request: "Request[Any, Any, Any]") -> Response[bytes]:
    """
    The asset, cached for ever if `v` is its version, else revalidated; 304 for a browser that has it.

    Raises Problem `not_found`.
    """
    asset = ASSETS.get(name.lstrip("/"))
    if asset is None:
        raise Problem("not_found", "Not found")
    is_versioned = request.query_params.get("v") == asset.version
    headers = {
        "cache-control": "public, max-age=31536000, immutable" if is_versioned else "no-cache",
        "etag": f'"{asset.version}"',
        "vary": "accept-encoding",
    }
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(b"", status_code=304, headers=headers, media_type=asset.media_type)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(asset.content, headers=headers, media_type=asset.media_type)
    return Response(asset.compressed, headers={**headers, "content-encoding": "gzip"}, media_type=asset.media_type)
