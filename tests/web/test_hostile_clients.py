"""Clients that mean harm, over raw sockets: honest ones are served meanwhile, and every refusal is a problem."""

import json
import random
import re
import resource
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.harness import FOREVER, SOAK, Held, Server, eventually, serving

CONNECTIONS = 64
TIME = 1
"""Seconds that a client has for a head, for a body, and for taking its answer."""
BOUND = 5
"""Seconds within which an honest client is served on a machine that other tests keep busy."""
MEBIBYTE = 1024 * 1024
HEAD = b"POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GOOD = {"language": "python", "code": "print(1)"}


@contextmanager
def waiting_for(seconds: float, folder: Path) -> Iterator[Server]:
    """A server with CONNECTIONS places that waits so long for a head, for a body, and until its answer is taken."""
    with serving(folder, connections=CONNECTIONS, body_time=seconds, running=2) as server:
        assert eventually(lambda: server.post(GOOD).status_code == 200)
        yield server


@pytest.fixture(scope="module")
def strict(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with little patience."""
    with waiting_for(float(TIME), tmp_path_factory.mktemp("strict")) as server:
        yield server


@pytest.fixture(scope="module")
def patient(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits longer than any test: what happens there happens for want of places, not of time."""
    with waiting_for(600.0, tmp_path_factory.mktemp("patient")) as server:
        yield server


def connect(server: Server, source: str = "127.0.0.1") -> socket.socket:
    """A connection from any address of the loopback network."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=20, source_address=(source, 0))


def heard(client: socket.socket) -> bytes:
    """Everything until the server closes."""
    data = b""
    try:
        while more := client.recv(65536):
            data += more
    except ConnectionResetError:
        pass
    return data


def cut(client: socket.socket) -> bool:
    """Whether the server has given the connection up, although there is more to read."""
    poll = select.poll()
    poll.register(client, 0)
    return poll.poll(0) != []


def said(server: Server, *sent: bytes) -> bytes:
    """What is heard after this was sent, piece by piece."""
    with connect(server) as client:
        for piece in sent:
            client.sendall(piece)
            time.sleep(0.05 if len(sent) > 1 else 0)
        return heard(client)


def problem(answer: bytes) -> tuple[int, str]:
    """Status and title of the one answer, which must be a well-formed problem."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    found = json.loads(body)
    assert "content-type: application/problem+json" in lines, answer
    assert lines[0].startswith(f"http/1.1 {found['status']} ")
    assert set(found) == {"type", "title", "status", "detail"}
    assert found["type"] == f"urn:code-runner:{found['title'].lower().replace(' ', '-')}"
    return found["status"], found["title"]


def asked(client: socket.socket) -> bool:
    """Whether a connection that was there before is still served."""
    client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    data = b""
    while not data.endswith(b'{"status":"up"}'):
        more = client.recv(65536)
        assert more, data
        data += more
    return data.startswith(b"HTTP/1.1 200 ")


def served(server: Server) -> bool:
    """Whether an honest client gets its program's answer in time."""
    began = time.monotonic()
    return server.run("python", "print(6 * 7)")["stdout"] == "42\n" and time.monotonic() - began < BOUND


class Watch:
    """The most that a server has held while this was watched."""

    def __init__(self, server: Server) -> None:
        self.most = self.first = server.holds()
        self._server = server
        self._over = threading.Event()

    def __enter__(self) -> "Watch":
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._over.wait(0.05):
            now = self._server.holds()
            self.most = Held(*(max(*pair) for pair in zip(_tuple(self.most), _tuple(now), strict=True)))

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def _tuple(held: Held) -> tuple[int, int, int]:
    return held.memory, held.files, held.threads


@contextmanager
def open_files(number: int) -> Iterator[None]:
    """Lets this process, and what it starts, open so many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_ten_thousand_idle_connections_lock_nobody_out(engine: None, tmp_path: Path) -> None:
    """A newcomer takes the place of the oldest idle one of whoever holds most: the files stay bounded."""
    with ExitStack() as idle:
        with open_files(256):
            server = idle.enter_context(serving(tmp_path, connections=256, body_time=600.0))
        assert re.search(r"Max open files +2048 ", Path(f"/proc/{server.process.pid}/limits").read_text())
        idle.enter_context(open_files(11_000))
        clients, honest = [], idle.enter_context(connect(server))
        assert asked(honest)
        assert served(server)
        with Watch(server) as watch:
            for number in range(10_000):
                clients.append(idle.enter_context(connect(server, "127.0.0.2")))
                if number % 100 == 0:  # before the kernel's queue is full, which takes a second to recover
                    assert asked(honest)
                if number % 2500 == 0:
                    assert served(server)
            assert served(server)
        assert asked(honest)
        assert watch.most.files < watch.first.files + 4 * 256  # a few turns of accepting come before one of closing
        assert watch.most.memory < watch.first.memory + 32 * MEBIBYTE
        for client in clients:
            client.close()
        assert eventually(lambda: server.holds().files < watch.first.files + 30)


def unread(server: Server) -> bool:
    """Whether a client's bytes lie there that the server has not read."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    queues = [queues for _, local, _, _, queues, *_ in rows if local.endswith(f":{server.port:04X}")]
    return any(int(each.partition(":")[2], 16) for each in queues)


@contextmanager
def crowd(server: Server, sent: bytes) -> Iterator[list[socket.socket]]:
    """One client with all connections that there may be; each has sent this."""
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server, "127.0.0.3")) for _ in range(CONNECTIONS)]
        for client in clients:
            client.sendall(sent)
        yield clients


BEGUN = pytest.mark.parametrize("begun", [b"GET /health", HEAD, HEAD + b"X-More: "], ids=["line", "headers", "header"])
"""What a client sends that never comes to the end of a request's head."""


@BEGUN
def test_a_head_that_never_ends_is_refused_in_time(strict: Server, begun: bytes) -> None:
    """However many bytes trickle in."""
    began = time.monotonic()
    with crowd(strict, begun) as clients:
        while time.monotonic() - began < TIME * 0.8:
            for client in clients[-5:]:
                client.sendall(b"x")
            assert served(strict)
            time.sleep(0.1)
        assert problem(heard(clients[-1])) == (408, "Request too slow")
        assert time.monotonic() - began < TIME + BOUND


@BEGUN
def test_with_every_place_taken_honest_clients_are_served(patient: Server, begun: bytes) -> None:
    """In the place of those that have waited longest, who are told."""
    with crowd(patient, begun) as clients:
        assert eventually(lambda: not unread(patient))  # who loses its place without a word is told nothing
        assert not any(map(cut, clients))
        assert served(patient)
        assert problem(heard(clients[0])) == (503, "Busy")
        assert not cut(clients[-1])


BUSY = HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\n{"
"""A request whose body is waited for."""


def test_where_every_connection_is_busy_the_next_is_told(patient: Server) -> None:
    """As soon as it asks; and when the others have their answers, the next is served."""
    with crowd(patient, BUSY) as clients:
        assert eventually(lambda: not unread(patient))
        assert problem(said(patient, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")) == (503, "Busy")
        for client in clients:
            client.sendall(b"}")
        assert [problem(heard(client)) for client in clients] == [(400, "Bad request")] * CONNECTIONS
    assert served(patient)


def test_bodies_that_never_come_are_refused_in_time(strict: Server) -> None:
    """Every one of them, and the next client is served."""
    with crowd(strict, BUSY) as clients:
        assert [problem(heard(client)) for client in clients] == [(408, "Request too slow")] * CONNECTIONS
    assert served(strict)


def test_a_connection_without_a_request_is_closed_in_time(strict: Server) -> None:
    """Without a word: nothing was asked. Also after a request."""
    began = time.monotonic()
    assert said(strict) == b""
    assert said(strict, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").endswith(b'{"status":"up"}')
    assert 2 * TIME <= time.monotonic() - began < 2 * TIME + BOUND


@contextmanager
def pouring(client: socket.socket, piece: bytes, pause: float) -> Iterator[None]:
    """Sends that again and again, as long as somebody takes it."""
    over = threading.Event()

    def pour() -> None:
        with suppress(OSError):
            while not over.wait(pause):
                client.sendall(piece)

    thread = threading.Thread(target=pour)
    thread.start()
    yield
    over.set()
    thread.join(5)
    assert not thread.is_alive()


def test_a_body_without_end_ends(strict: Server) -> None:
    """Too slow or too large; and one that nobody waits for does not keep its connection open."""
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    ignored = b"GET /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    for head, piece, pause, expected in (
        (chunked, b"1\r\nx\r\n", 0.05, (408, "Request too slow")),
        (chunked, chunk, 0.0, (413, "Too large")),
        (HEAD + b"Content-Length: 99999999999999999999\r\n\r\n", b"x" * 65536, 0.0, (413, "Too large")),
        (ignored, b"1\r\nx\r\n", 0.05, None),
        (ignored, chunk, 0.001, None),
    ):
        with connect(strict) as client, Watch(strict) as watch:
            client.sendall(head)
            began = time.monotonic()
            with pouring(client, piece, pause):
                answer = heard(client)
        assert time.monotonic() - began < 2 * TIME + BOUND
        assert watch.most.memory < watch.first.memory + 16 * MEBIBYTE
        if expected:
            assert problem(answer) == expected
        else:
            assert answer.startswith(b"HTTP/1.1 200")


def test_answers_that_nobody_reads_hold_nothing(strict: Server) -> None:
    """A client that asks and asks and never reads loses its connection; no answers pile up."""
    ask = b"GET /policies/python HTTP/1.1\r\nHost: localhost\r\n\r\n"
    before, clients = strict.holds(), []
    with ExitStack() as stack:
        for _ in range(8):
            client = stack.enter_context(socket.socket())
            clients.append(client)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", strict.port))
            client.setblocking(False)
            try:
                while True:
                    client.send(ask * 100)
            except OSError:
                pass
        assert served(strict)
        assert eventually(lambda: all(map(cut, clients)), 3 * (TIME + BOUND))
    assert strict.holds().memory < before.memory + 64 * MEBIBYTE


def test_who_hangs_up_leaves_nothing(strict: Server) -> None:
    """With a reset, with half a connection, in the middle of a body: the program ends, and the next is served."""
    body = json.dumps(FOREVER).encode()
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    for leave in (_reset, lambda client: client.shutdown(socket.SHUT_WR), lambda client: client.close()):
        for sent in (request, request[:-5], request[:20], b""):
            with connect(strict) as client:
                client.sendall(sent)
                time.sleep(0.15 if sent == request else 0)
                leave(client)
                assert eventually(lambda: not strict.jobs(), 1.9)
        assert served(strict)


def _reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_requests_in_one_piece_are_answered_in_their_order(strict: Server) -> None:
    """Pipelining: each its own answer, also when one of them is refused; garbage after them is a bad request."""
    sent = b""
    for token in ("first", "second", None, "fourth"):
        body = json.dumps({"language": "python", "code": f"print('{token}')"}).encode() if token else b"{"
        sent += HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    answers = said(strict, sent + b"\0\r\n\r\n").split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"200", b"400", b"200", b"400"]
    for words, answer in zip((b"first", b"second", b"not valid JSON", b"fourth"), answers, strict=False):
        assert words in answer
    assert problem(b"HTTP/1.1 " + answers[-1]) == (400, "Bad request")


LONG = b"X-Long: " + b"x" * 16384 + b"\r\n\r\n"
MANY = b"".join(b"X-%d: 1\r\n" % number for number in range(3000)) + b"\r\n"
BODY = b'{"language": "python", "code": ""}'


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (HEAD + LONG, (431, "Headers too large")),
        (HEAD + MANY, (431, "Headers too large")),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", (431, "Headers too large")),
        (b"GET /" + b"x" * 200_000, (431, "Headers too large")),
        (b"X" * 2_000_000, (431, "Headers too large")),
        (HEAD + b"Content-Length: -1\r\n\r\n" + BODY, (400, "Bad request")),
        (HEAD + b"Content-Length: +34\r\n\r\n" + BODY, (400, "Bad request")),
        (HEAD + b"Content-Length: 0x22\r\n\r\n" + BODY, (400, "Bad request")),
        (HEAD + b"Content-Length: 34\r\nContent-Length: 35\r\n\r\n" + BODY, (400, "Bad request")),
        (HEAD + b"Content-Length: 34, 35\r\n\r\n" + BODY, (400, "Bad request")),
        (HEAD + b"Content-Length: 34\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY, (400, "Bad request")),
        (HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 34\r\n\r\n0\r\n\r\n", (400, "Bad request")),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", (501, "Not implemented")),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", (400, "Bad request")),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", (400, "Bad request")),
        (HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", (400, "Bad request")),
        (HEAD + b"Connection: close\r\nContent-Length: 35\r\n\r\n" + BODY, (408, "Request too slow")),
        (b"GET /health HTTP/1.1\r\n\r\n", (400, "Bad request")),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", (400, "Bad request")),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\n X: folded\r\n\0: x\r\n\r\n", (400, "Bad request")),
        (b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n", (505, "HTTP version not supported")),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (505, "HTTP version not supported")),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", (400, "Bad request")),
    ],
    ids=range(23),
)
def test_what_is_no_request_is_a_problem(strict: Server, sent: bytes, expected: tuple[int, str]) -> None:
    """Headers too large, lengths that are wrong or say two things, other protocols: whole and in pieces."""
    assert problem(said(strict, sent)) == expected
    half = len(sent) // 2
    assert problem(said(strict, sent[:half], sent[half:])) == expected


def test_a_length_that_is_too_short_is_two_bad_requests(strict: Server) -> None:
    """The rest of the body is no request, and nothing of it is run."""
    answers = said(strict, HEAD + b"Content-Length: 30\r\n\r\n" + BODY + b"\r\n\r\n").split(b"HTTP/1.1 ")[1:]
    assert [problem(b"HTTP/1.1 " + each) for each in answers] == [(400, "Bad request"), (400, "Bad request")]


def test_a_form_of_another_site_runs_nothing(strict: Server) -> None:
    """As a browser sends it, with each type that a form may have; nor does a name that was bound anew."""
    form = b'{"language": "python", "code": "print(1)", "input": "="}'
    for kind in (b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x"):
        head = HEAD.replace(b"application/json", kind) + b"Connection: close\r\nContent-Length: %d\r\n" % len(form)
        foreign = b"Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n"
        assert problem(said(strict, head + foreign + b"\r\n" + form)) == (403, "Forbidden site")
        assert problem(said(strict, head + b"Origin: null\r\n\r\n" + form)) == (403, "Forbidden site")
        assert problem(said(strict, head + b"\r\n" + form)) == (415, "Not JSON")
    bound = HEAD.replace(b"localhost", b"evil.example:3000") + b"Origin: http://evil.example:3000\r\n"
    assert problem(said(strict, bound + b"Content-Length: %d\r\n\r\n" % len(form) + form)) == (403, "Forbidden site")


def test_no_header_makes_another_client(tmp_path: Path) -> None:
    """Who is not a trusted proxy is counted by its own address, whatever it says of itself."""
    with serving(tmp_path, rate_limit="3 per 15 minutes") as server:
        names = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "CF-Connecting-IP", "True-Client-IP")
        statuses = [server.post({}, headers={name: f"203.0.113.{n}"}).status_code for n, name in enumerate(names)]
    assert statuses == [400] * 3 + [429] * 3


def test_an_ipv6_network_is_one_client(tmp_path: Path) -> None:
    """Addresses that rotate within a /64 share one count; the next network has its own."""
    with serving(tmp_path, rate_limit="5 per 15 minutes", trusted_proxies=["127.0.0.1"]) as server:
        chance = random.Random(64)
        addresses = [f"2001:db8:0:1:{':'.join(f'{chance.getrandbits(16):x}' for _ in range(4))}" for _ in range(10)]
        statuses = [server.post({}, headers={"X-Forwarded-For": address}).status_code for address in addresses]
        assert statuses == [400] * 5 + [429] * 5
        assert server.post({}, headers={"X-Forwarded-For": "2001:db8:0:2::1"}).status_code == 400


def garbage(chance: random.Random) -> bytes:
    """Anything: requests that are refused, cut ones, mutations, noise."""
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    kinds: list[Callable[[], bytes]] = [
        lambda: chance.randbytes(chance.randrange(3000)),
        lambda: whole.replace(BODY, chance.randbytes(len(BODY))),
        lambda: whole[: chance.randrange(len(whole))],
        lambda: bytes(chance.randrange(256) if chance.random() < 0.05 else byte for byte in HEAD + BODY),
        lambda: HEAD + LONG,
        lambda: b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % chance.getrandbits(64),
        lambda: HEAD.replace(b"localhost", b"evil.example") + b"\r\n",
        lambda: HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chance.randbytes(100),
        lambda: b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3,
    ]
    return chance.choice(kinds)()


def flood(server: Server, seed: int, seconds: float, rate: int) -> int:
    """Sends garbage at that rate, each on a connection of its own; how many were sent."""
    chance, began, sent = random.Random(seed), time.monotonic(), 0
    with ExitStack() as stack:
        while (now := time.monotonic() - began) < seconds:
            if sent >= now * rate:
                time.sleep(0.002)
                continue
            sent += 1
            client = stack.enter_context(connect(server, "127.0.0.4"))
            with suppress(ConnectionError):
                client.sendall(garbage(chance))
            if chance.random() < 0.9:
                client.close()  # the others stay, and take up room
    return sent


@pytest.mark.alone
def test_a_flood_of_garbage_costs_honest_clients_little(strict: Server) -> None:
    """200 a second: memory and files are bounded, programs are run meanwhile, nothing is a failure of ours."""
    seconds = 60 if SOAK else 5
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    with ThreadPoolExecutor(1) as executor, Watch(strict) as watch:
        flooding = executor.submit(flood, strict, seed, seconds, 200)
        times = []
        while not flooding.done():
            began = time.monotonic()
            assert served(strict)
            times.append(time.monotonic() - began)
            time.sleep(0.2)
    print(f"{flooding.result()} sent; honest: median {sorted(times)[len(times) // 2]:.3f} s, most {max(times):.3f} s")
    print(f"before {watch.first}, most {watch.most}")
    assert flooding.result() > 150 * seconds
    assert watch.most.files < watch.first.files + 2 * CONNECTIONS + 60
    assert watch.most.memory < watch.first.memory + 32 * MEBIBYTE
    assert "Traceback" not in strict.log.read_text()
    assert strict.get("/health").status_code == 200
    assert eventually(lambda: strict.holds().files < watch.first.files + 20)
