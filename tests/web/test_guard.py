"""What is checked of a request before it is believed, and who counts as one client."""

import asyncio
import time
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv6Address
from pathlib import Path
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from limits import parse as parse_rate

from runner.errors import BadRequest, ForbiddenSite, RateLimited, TooLarge, TooSlow, WrongType
from runner.policy import settings as configured
from runner.web import limiter, windows
from runner.web.guard import check_site, check_type, read_body
from runner.web.limiter import Allowance, Limiter, client_key
from tests.strategies import toml_text, unhurried

TEXT: Final = Path("policies/server.toml").read_text(encoding="utf-8")
SETTINGS: Final = configured.parse(TEXT)
ELSEWHERE: Final = replace(SETTINGS, allowed_origins=("https://school.example",))

HOST: Final = "This service is not served under that host name; server.toml lists `allowed-hosts`."
ORIGIN: Final = "Pages of that origin may not run programs here; server.toml lists `allowed-origins`."
SITE: Final = "Pages of other sites may not run programs here."


# Host, Origin, Sec-Fetch-Site


def site(headers: Mapping[str, str], settings: configured.Settings = SETTINGS) -> str | None:
    """Why a site is refused, or None."""
    try:
        check_site(headers, settings)
    except ForbiddenSite as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:3000", "127.0.0.1", "127.0.0.1:3000", "[::1]", "[::1]:3000"),
        *("LOCALHOST:3000", "Localhost", "localhost:"),
    ],
)
def test_a_host_of_the_list_is_served(host: str) -> None:
    """With any port, in any case, also an IPv6 address."""
    assert site({"host": host}) is None


@pytest.mark.parametrize(
    "host",
    [
        *("", ":3000", "evil.example", "evil.example:3000", "localhost.evil.example", "evil.example#localhost"),
        *("127.0.0.2", "::1", "[::2]:3000", "[::1", "::1]", "localhost@evil.example", "evil.example:localhost"),
        *(" localhost", "localhost ", "localhost,evil.example", "[localhost]", "0.0.0.0:3000", "[::1].evil.example"),
    ],
)
def test_any_other_host_is_refused(host: str) -> None:
    """A name that an attacker points at this address is not one of ours: DNS rebinding."""
    assert site({"host": host}) == HOST


def test_a_request_without_a_host_is_refused() -> None:
    """HTTP/1.0 and broken clients."""
    assert site({}) == HOST


def test_a_host_of_the_file_is_compared_without_case() -> None:
    """What ops write into allowed-hosts is served, also when a client writes it in capital letters."""
    data = {**tomllib.loads(TEXT), "allowed-hosts": ["runner.example"]}
    assert site({"host": "Runner.Example"}, configured.parse(toml_text(data))) is None


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, None),  # curl
        ({"sec-fetch-site": "none"}, None),
        ({"sec-fetch-site": "same-origin"}, None),
        ({"sec-fetch-site": "same-site"}, SITE),
        ({"sec-fetch-site": "cross-site"}, SITE),
        ({"sec-fetch-site": ""}, SITE),
        ({"sec-fetch-site": "new-word"}, SITE),
        ({"origin": "http://localhost:3000"}, None),
        ({"origin": "https://localhost:3000"}, None),  # a TLS proxy stands before us
        ({"origin": "http://localhost:3000", "sec-fetch-site": "same-origin"}, None),
        ({"origin": "http://localhost"}, ORIGIN),
        ({"origin": "http://localhost:3001"}, ORIGIN),
        ({"origin": "http://127.0.0.1:3000"}, ORIGIN),
        ({"origin": "http://localhost:3000.evil.example"}, ORIGIN),
        ({"origin": "https://evil.example"}, ORIGIN),
        ({"origin": "null"}, ORIGIN),
        ({"origin": ""}, ORIGIN),
        ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, ORIGIN),
        ({"origin": "https://school.example.evil.example"}, ORIGIN),
        ({"origin": "http://school.example"}, ORIGIN),
        ({"origin": "https://school.example"}, None),
        ({"origin": "https://school.example", "sec-fetch-site": "cross-site"}, None),
    ],
)
def test_pages_of_other_sites_are_refused(headers: dict[str, str], said: str | None) -> None:
    """A browser says whose page asks; ours may, those that are listed may, no other."""
    assert site({"host": "localhost:3000", **headers}, ELSEWHERE) == said


def test_no_other_site_is_listed_by_default() -> None:
    """The shipped file lets no page of another origin in."""
    assert site({"host": "localhost:3000", "origin": "https://school.example"}) == ORIGIN


# Content-Type


@pytest.mark.parametrize(
    "kind",
    [
        *("application/json", "Application/JSON", "application/json;charset=utf-8", "application/json; charset=UTF-8"),
        *('application/json; charset="utf-8"', "application/json;", " application/json "),
    ],
)
def test_json_in_utf_8_is_taken(kind: str) -> None:
    """However a client writes it."""
    check_type({"content-type": kind})


@pytest.mark.parametrize(
    "kind",
    [
        *("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json", "*/*"),
        *("application/json; charset=latin-1", "application/jsonp", "text/plain; application/json"),
        *("application/json, text/plain", "application/problem+json", "application/json; charset=utf-8; x=y"),
    ],
)
def test_any_other_type_is_refused(kind: str) -> None:
    """What a form of another site can send without asking is not JSON."""
    with pytest.raises(WrongType) as caught:
        check_type({"content-type": kind})
    assert str(caught.value) == "Send the body as `Content-Type: application/json`, in UTF-8."


def test_a_request_without_a_type_is_refused() -> None:
    """Nothing is guessed."""
    with pytest.raises(WrongType):
        check_type({})


# The body


SMALL: Final = replace(SETTINGS, body=1024)
TOO_LONG: Final = "The body has more than 1024 bytes, as sent and with its JSON escapes."


class Sender:
    """A client's body: its pieces, and then, perhaps, nothing more for ever."""

    def __init__(self, pieces: Sequence[bytes], *, stalls: bool = False) -> None:
        self.sent = 0
        self._pieces = pieces
        self._stalls = stalls

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self.sent += 1
            yield piece
        if self._stalls:
            await asyncio.Event().wait()


def body(sender: Sender, length: str | None = None, settings: configured.Settings = SMALL) -> bytes:
    """What is read of it."""
    headers = {} if length is None else {"content-length": length}
    return asyncio.run(read_body(sender, headers, settings))


@unhurried
@given(st.lists(st.binary(max_size=50), max_size=20))
def test_a_small_body_is_read_whole(pieces: list[bytes]) -> None:
    """However it comes, with its length announced or not."""
    whole = b"".join(pieces)
    assert body(Sender(pieces)) == whole
    assert body(Sender(pieces), str(len(whole))) == whole


@pytest.mark.parametrize("size", [1023, 1024])
def test_a_body_may_have_the_size_of_the_limit(size: int) -> None:
    """The limit is the last size that is served."""
    assert body(Sender([b"x" * size]), str(size)) == b"x" * size


@pytest.mark.parametrize("length", ["1025", "99999999999999999999", "9" * 5000])
def test_a_length_over_the_limit_is_refused_unread(length: str) -> None:
    """Not one byte is taken of what is announced as too long."""
    sender = Sender([b"x"])
    with pytest.raises(TooLarge) as caught:
        body(sender, length)
    assert (str(caught.value), sender.sent) == (TOO_LONG, 0)


@pytest.mark.parametrize("length", [None, "0", "1024", "0" * 30 + "9999"])
def test_a_body_that_grows_over_the_limit_is_refused(length: str | None) -> None:
    """Whatever was announced, reading stops at the limit."""
    sender = Sender([b"x" * 512] * 100)
    with pytest.raises(TooLarge) as caught:
        body(sender, length)
    assert (str(caught.value), sender.sent) == (TOO_LONG, 3)


@pytest.mark.parametrize("length", ["", "-1", "+1", "1.0", "0x10", "ten", "1 ", " 1", "1,1", "\u0661", "\u00b2"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    """Two readers of one request must not differ about its end."""
    sender = Sender([b"x"])
    with pytest.raises(BadRequest) as caught:
        body(sender, length)
    assert (str(caught.value), sender.sent) == ("`Content-Length` must be a number.", 0)


@pytest.mark.parametrize("pieces", [[], [b"x"], [b"{"] * 10])
def test_a_body_that_does_not_arrive_in_time_is_refused(pieces: list[bytes]) -> None:
    """A client that sends half a request holds nothing for longer than body-time."""
    with pytest.raises(TooSlow) as caught:
        body(Sender(pieces, stalls=True), settings=replace(SMALL, body_time=0.01))
    assert str(caught.value) == "The body did not arrive within 0.01 s."


# Who is one client


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        (None, "unknown"),
        ("unix:", "unknown"),
        ("testclient", "unknown"),
        ("192.0.2.1:80", "unknown"),
        ("192.0.2.01", "unknown"),
        ("192.0.2.1, 198.51.100.1", "unknown"),
        ("3221225985", "unknown"),
    ],
)
def test_a_client_is_an_address_or_a_network(address: str | None, key: str) -> None:
    """IPv4 by address, IPv6 by /64, the same host in both notations once, garbage all together."""
    assert client_key(address) == key


@unhurried
@given(st.one_of(st.text(), st.ip_addresses().map(str)))
def test_a_key_never_has_a_second_form(address: str) -> None:
    """Any text has a key, and its key's address has the same one: no client is two."""
    key = client_key(address)
    assert key == "unknown" or client_key(key.removesuffix("/64")) == key


@unhurried
@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_a_network_of_64_bits_is_one_client(address: IPv6Address, host: int) -> None:
    """Whoever owns a /64 owns 2^64 addresses and one allowance."""
    neighbour = IPv6Address((int(address) >> 64 << 64) + host)
    assume(address.ipv4_mapped is None and neighbour.ipv4_mapped is None)
    assert client_key(str(address)) == client_key(neighbour.exploded)


# How many requests


def hits(rate: str, *clients: str) -> list[tuple[bool, Allowance]]:
    """What each of these clients hears, one after the other."""

    async def ask() -> list[tuple[bool, Allowance]]:
        asked = Limiter(parse_rate(rate), "memory")
        return [await asked.hit(client) for client in clients]

    return asyncio.run(ask())


def test_so_many_requests_are_served_and_no_more() -> None:
    """The last one that is served leaves 0; the one after it is refused and takes nothing."""
    heard = hits("3 per hour", *["a"] * 5)
    assert [(allowed, left.remaining) for allowed, left in heard] == [
        *((True, 2), (True, 1), (True, 0)),
        *((False, 0), (False, 0)),
    ]


def test_clients_do_not_count_for_each_other() -> None:
    """One client's requests leave the others theirs."""
    heard = hits("2 per hour", "a", "a", "a", "b", "a")
    assert [(allowed, left.remaining) for allowed, left in heard] == [
        *((True, 1), (True, 0), (False, 0)),
        *((True, 1), (False, 0)),
    ]


def test_a_moving_window_moves() -> None:
    """A request counts for as long as the window is, then no more; a refused one never did."""

    async def ask() -> list[bool]:
        asked = Limiter(parse_rate("2 per second"), "memory")
        heard = []
        for pause in (0, 0, 0, 1.05):
            await asyncio.sleep(pause)
            heard.append((await asked.hit("a"))[0])
        return heard

    assert asyncio.run(ask()) == [True, True, False, True]


def test_no_more_clients_are_remembered_than_there_is_room_for() -> None:
    """Beyond that, the one that ran longest ago is forgotten, and so is whoever has nothing left to remember."""

    async def ask() -> tuple[int, int, int]:
        memory = windows.Memory()
        for number in range(windows.CLIENTS + 2):
            await memory.acquire_entry(str(number), 1, 60)
        counts = [(await memory.get_moving_window(str(n), 1, 60))[1] for n in (0, windows.CLIENTS)]
        for name in ("one", "last"):
            await asyncio.sleep(0.01)
            await memory.acquire_entry(name, 1, 0)
        return counts[0], counts[1], len(memory._windows[0])

    assert asyncio.run(ask()) == (0, 1, 1)


def test_a_long_window_is_remembered_beside_a_short_one() -> None:
    """A key may have another window than everybody else: who has run in the short one forgets nothing of the long."""

    async def ask() -> list[bool]:
        asked, long = Limiter(parse_rate("100 per second"), "memory"), parse_rate("1 per hour")
        heard = [(await asked.hit("key:a", long))[0]]
        await asyncio.sleep(1.05)
        heard.append((await asked.hit("192.0.2.1"))[0])
        heard.append((await asked.hit("key:a", long))[0])
        return heard

    assert asyncio.run(ask()) == [True, True, False]


def test_many_clients_cost_one_request_nothing() -> None:
    """The library's own memory visits every client after each request: seconds of CPU time for this."""

    async def ask() -> float:
        asked = Limiter(parse_rate("100 per hour"), "memory")
        for number in range(windows.CLIENTS // 4):
            await asked.hit(str(number))
        began = time.process_time()
        for _ in range(10):
            await asked.hit("a")
            await asyncio.sleep(0.02)
        return time.process_time() - began

    assert asyncio.run(ask()) < 0.1


def test_an_allowance_says_the_rate_and_the_rest() -> None:
    """Quota and window are the file's; the next request is free when the window has passed since the first."""
    ((_, left),) = hits("100 per 15 minutes", "a")
    assert (left.quota, left.window, left.remaining) == (100, 900, 99)
    assert left.reset in (900, 901)  # whole seconds, rounded up


def test_the_headers_are_those_of_the_draft() -> None:
    """RateLimit and RateLimit-Policy, as structured fields."""
    assert Allowance(quota=100, window=900, remaining=7, reset=12).headers == {
        "RateLimit-Policy": '"run";q=100;w=900',
        "RateLimit": '"run";r=7;t=12',
    }


def test_a_refusal_says_what_is_used_up_and_until_when() -> None:
    """What a client needs to come back at the right time."""
    error = limiter.refusal(Allowance(quota=100, window=900, remaining=0, reset=12))
    assert isinstance(error, RateLimited)
    assert (str(error), error.seconds) == (
        "100 runs per 900 seconds are used up; the next is free in 12 seconds.",
        12,
    )
