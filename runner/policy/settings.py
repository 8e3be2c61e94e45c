"""``policies/server.toml``: the service itself."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from limits import RateLimitItem

from runner.errors import PolicyError, Problem
from runner.policy import rates, toml
from runner.policy.rules import size
from runner.policy.toml import Key

FILE: Final = "server.toml"
APIS: Final = ("piston", "codapi", "jobe", "judge0", "mcp")
"""What can be served beside our own API: other runners', and the Model Context Protocol."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``policies/server.toml`` says; each key is explained there."""

    host: str
    port: int
    instance: str
    languages: tuple[str, ...]
    running: int
    live: int
    waiting_memory: int
    waiting_time: float
    containers: int
    memory: int
    warm_share: float
    idle_time: float
    rate_limit: str
    rate_limit_storage: str
    body: int
    body_time: float
    stop_time: int
    connections: int
    allowed_hosts: tuple[str, ...]
    allowed_origins: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    lock: bool
    audit_file: str
    apis: tuple[str, ...]

    @property
    def rate(self) -> RateLimitItem:
        """The rate limit in the terms of the limits library."""
        return rates.parse(self.rate_limit)


def _storage(value: str) -> str | None:
    url = re.fullmatch(
        r"rediss?://([A-Za-z0-9_-]+@)?([a-z0-9._-]+|\[[0-9a-f:.]+\])(:([0-9]{1,5}))?(/[0-9]{1,4})?", value
    )
    if value == "memory" or (url and int(url[4] or 1) in range(1, 65536)):
        return None
    return (
        'must be "memory" or a URL such as "redis://host:6379/0"; a password comes from REDIS_PASSWORD, not from here'
    )


def _hosts(value: list[object]) -> str | None:
    ok = all(isinstance(item, str) and re.fullmatch(r"[a-z0-9.-]+|\[[0-9a-f:.]+\]", item) for item in value)
    return None if ok else 'must be a list of host names in lower case, without ports, such as "localhost"'


def _origins(value: list[object]) -> str | None:
    ok = all(isinstance(item, str) and re.fullmatch(r"https?://[^/\s]+", item) for item in value)
    return None if ok else 'must be a list of origins such as "https://example.org"'


def _proxies(value: list[object]) -> str | None:
    try:
        for item in value:
            ipaddress.ip_network(str(item))
    except ValueError as error:
        return f"must be a list of addresses or networks: {error}"
    return None


def _size(value: str) -> str | None:
    return None if size(value) else 'must be a size such as "6g"'


def _languages(value: list[object]) -> str | None:
    ok = value and all(isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name) for name in value)
    return None if ok and len({*value}) == len(value) else 'must be a list of policies, each once, such as "python"'


def _apis(value: list[object]) -> str | None:
    return None if all(item in APIS for item in value) else f"must be a list of {', '.join(APIS)}"


_KEYS: Final = {
    "host": Key(str, toml.filled),
    "port": Key(int, toml.between(0, 65535)),
    "instance": Key(str, lambda v: None if re.fullmatch(r"[a-z0-9-]{1,40}", v) else "must be of a-z, 0-9 and -"),
    "languages": Key(list, _languages),
    "running": Key(int, toml.between(0, 64)),
    "live": Key(int, toml.between(0, 64)),
    "waiting-memory": Key(str, _size),
    "waiting-time": Key(float, toml.between(0.1, 600)),
    "containers": Key(int, toml.between(1, 64)),
    "memory": Key(str, _size),
    "warm-share": Key(float, toml.between(0, 1)),
    "idle-time": Key(float, toml.between(1, 86400)),
    "rate-limit": Key(str, rates.problem),
    "rate-limit-storage": Key(str, _storage),
    "body": Key(int, toml.between(1024, 2**27)),
    "body-time": Key(float, toml.between(0.1, 600)),
    "stop-time": Key(int, toml.between(0, 600)),
    "connections": Key(int, toml.between(1, 65536)),
    "allowed-hosts": Key(list, _hosts),
    "allowed-origins": Key(list, _origins),
    "trusted-proxies": Key(list, _proxies),
    "lock": Key(bool),
    "audit-file": Key(str, toml.line),
    "apis": Key(list, _apis),
}


def parse(text: str) -> Settings:
    """The settings of a file's text, or a ``PolicyError`` that lists everything that is wrong with it."""
    data = toml.read(FILE, text)
    if found := [Problem(FILE, toml.line_of(text, key), said) for key, said in toml.problems(data, _KEYS)]:
        raise PolicyError(*found)
    if data["live"] >= data["containers"]:
        said = f"live must be less than containers ({data['containers']}), or live runs could take every place"
        raise PolicyError(Problem(FILE, toml.line_of(text, "live"), said))
    return Settings(**{field.name: _value(data, field.name.replace("_", "-")) for field in fields(Settings)})


def _value(data: Mapping[str, Any], key: str) -> Any:
    value = data[key]
    if key in ("memory", "waiting-memory"):
        return size(value)
    return tuple(value) if isinstance(value, list) else value
