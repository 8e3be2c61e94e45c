"""``GET /`` and ``GET /static/...``: the page, read once at the start. Only what was read then can be asked for."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

FOLDER: Final = Path(__file__).parent / "page"
TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    "": "text/plain; charset=utf-8",  # LICENSE
}
_DENIED: Final = (
    *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation"),
    *("gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment"),
    *("picture-in-picture", "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking"),
)
HEADERS: Final[Mapping[str, str]] = {
    # blob: is for the pictures that a program leaves: images alone, in which no script runs. They are bytes that the
    # page has got already; nothing else may come from such an address.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in _DENIED),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # kept, but asked for again: its ETag says whether it is another
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file of the page, as it is and compressed."""

    kind: str
    plain: bytes
    packed: bytes
    digest: str


def load(folder: Path = FOLDER) -> dict[str, File]:
    """Every file that a browser may ask for, by its path below the folder."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix in TYPES)
    return {path.relative_to(folder).as_posix(): _read(path) for path in paths}


def _read(path: Path) -> File:
    data = path.read_bytes()
    return File(TYPES[path.suffix], data, gzip.compress(data, mtime=0), hashlib.sha256(data).hexdigest()[:32])


async def page(http: Request) -> Response:
    """A file, or 304 for whoever has it; ``/`` is index.html."""
    file = http.app.state.page.get(http.path_params.get("path", "index.html"))
    if file is None:
        raise HTTPException(404)
    packed = "gzip" in http.headers.get("accept-encoding", "")
    tag = f'"{file.digest}-gzip"' if packed else f'"{file.digest}"'
    headers = {**HEADERS, "ETag": tag}
    if tag in [each.strip().removeprefix("W/") for each in http.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(file.packed if packed else file.plain, headers={**headers, "Content-Type": file.kind})
