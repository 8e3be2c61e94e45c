"""What is checked of a request before its body is believed."""

import asyncio
import re
from collections.abc import AsyncIterable, Mapping

from runner.errors import BadRequest, ForbiddenSite, TooLarge, TooSlow, WrongType
from runner.policy.settings import Settings


def check_site(headers: Mapping[str, str], settings: Settings) -> None:
    """Stops DNS rebinding (by the Host header) and other sites' pages (by Origin and Sec-Fetch-Site)."""
    host = headers.get("host", "")
    name = re.sub(r":[0-9]*\Z", "", host).lower()
    if name not in settings.allowed_hosts:
        raise ForbiddenSite("This service is not served under that host name; server.toml lists `allowed-hosts`.")
    origin = headers.get("origin")
    same = origin in (f"http://{host}", f"https://{host}")
    if origin is not None and not same and origin not in settings.allowed_origins:
        raise ForbiddenSite("Pages of that origin may not run programs here; server.toml lists `allowed-origins`.")
    if origin is None and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise ForbiddenSite("Pages of other sites may not run programs here.")


def check_type(headers: Mapping[str, str]) -> None:
    """Only application/json, in UTF-8: a form of another site cannot send that."""
    kind, _, parameters = headers.get("content-type", "").lower().partition(";")
    if kind.strip() != "application/json" or parameters.strip() not in ("", "charset=utf-8", 'charset="utf-8"'):
        raise WrongType("Send the body as `Content-Type: application/json`, in UTF-8.")


async def read_body(chunks: AsyncIterable[bytes], headers: Mapping[str, str], settings: Settings) -> bytes:
    """The body, if it is small enough and arrives in time; a length that is announced is refused unread."""
    length = headers.get("content-length", "0")
    if not length.isdecimal() or not length.isascii():
        raise BadRequest("`Content-Length` must be a number.")
    body = bytearray()
    try:
        async with asyncio.timeout(settings.body_time):
            if int(length[:20]) > settings.body:
                raise _too_large(settings)
            async for chunk in chunks:
                body += chunk
                if len(body) > settings.body:
                    raise _too_large(settings)
    except TimeoutError:
        raise TooSlow(f"The body did not arrive within {settings.body_time:g} s.") from None
    return bytes(body)


def _too_large(settings: Settings) -> TooLarge:
    return TooLarge(f"The body has more than {settings.body} bytes, as sent and with its JSON escapes.")
