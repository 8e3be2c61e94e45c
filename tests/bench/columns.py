"""The columns that answer like the service: the service itself, a plain ``docker run``, a peer."""

import json
import queue
import secrets
import select
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final, Protocol

from runner.policy import argv
from runner.policy.policy import Policy
from runner.sandbox import names
from runner.sandbox.handover import hand_over
from runner.sandbox.job import Job
from runner.sandbox.protocol import NONCE_SIZE, message
from runner.sandbox.uids import Uids
from tests.bench.cases import Case
from tests.bench.docker import environment_of
from tests.bench.figures import Answer

REQUEST_TIME = 60.0


class Column(Protocol):
    """Runs a case and says how long it took; may be called by many threads."""

    @property
    def name(self) -> str:
        """What stands above the column."""
        ...

    def __call__(self, case: Case) -> Answer:
        """One run, from sending the program to having its output."""
        ...


class Http:
    """Keep-alive connections to one server; ``http.client`` because its own time is small."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._free: queue.SimpleQueue[HTTPConnection] = queue.SimpleQueue()

    def post(self, path: str, body: bytes) -> tuple[float, int, bytes]:
        """The milliseconds on a connection that is open already, the status and the body; 0 is no answer."""
        connection = self._take()
        began = time.perf_counter()
        try:
            if connection.sock is None:
                connection.connect()
                began = time.perf_counter()
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            status, data = response.status, response.read()
        except (OSError, HTTPException) as error:
            connection.close()
            return (time.perf_counter() - began) * 1000, 0, str(error).encode()
        ms = (time.perf_counter() - began) * 1000
        self._free.put(connection)
        return ms, status, data

    def _take(self) -> HTTPConnection:
        while not self._free.empty():
            try:
                connection = self._free.get_nowait()
            except queue.Empty:
                break
            if connection.sock and not select.select([connection.sock], [], [], 0)[0]:
                return connection
            connection.close()  # the server closed it while it was idle
        return HTTPConnection(*self._address, timeout=REQUEST_TIME)

    def close(self) -> None:
        """Closes what is idle."""
        while not self._free.empty():
            self._free.get_nowait().close()


class Ours:
    """``POST /run``."""

    name = "ours"

    def __init__(self, http: Http) -> None:
        self._http = http
        self.runs = 0

    def __call__(self, case: Case) -> Answer:
        """One request, with all inputs of the case."""
        texts = [text.decode() for text in case.inputs]
        given = {"inputs": texts} if case.several else {"input": texts[0]}
        body = json.dumps({"language": case.language, "code": case.source.decode(), **given}).encode()
        ms, status, data = self._http.post("/run", body)
        ended = time.perf_counter()
        if status != 200:
            return Answer(ended, ms, str(status or data.decode()))
        self.runs += 1
        told = json.loads(data)
        runs = told["results"] if case.several else [told]
        right = [run["stdout"].encode() for run in runs] == list(case.expected) and told["status"] == "success"
        problem = "" if right else f"{told['status']}, {told['reason']}" if told["status"] != "success" else "wrong"
        return Answer(ended, ms, problem, told["times"]["queued"] * 1000, told["id"])


class Cold:
    """A plain ``docker run`` of the very same argv, until its client has exited."""

    name = "docker run"

    def __init__(self, policies: Mapping[str, Policy], instance: str, folder: Path, host: str = "") -> None:
        self._environment = environment_of(host)
        self._policies = policies
        self._instance = instance
        self._folder = folder
        self._uids = Uids()

    def __call__(self, case: Case) -> Answer:
        """One container."""
        return self.run(self._policies[case.language], case)

    def without(self, case: Case, line: str) -> Answer:
        """One container, started without one line of its policy."""
        policy = self._policies[case.language]
        return self.run(replace(policy, docker_run=tuple(item for item in policy.docker_run if item != line)), case)

    def run(self, policy: Policy, case: Case) -> Answer:
        """One container of any policy."""
        uid = self._uids.take()
        nonce = secrets.token_hex(NONCE_SIZE // 2).encode()
        command = argv.run(policy, names.new(), uid, self._instance)
        began = time.perf_counter()
        try:
            done = subprocess.run(
                command,
                input=_hand_over(nonce, case),
                capture_output=True,
                env=self._environment,
                cwd=self._folder,
                timeout=REQUEST_TIME,
                start_new_session=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Answer(time.perf_counter(), REQUEST_TIME * 1000, "no end")
        ended = time.perf_counter()
        self._uids.give_back(uid)
        right = _printed(nonce, done.stdout) == b"".join(case.expected)
        return Answer(ended, (ended - began) * 1000, "" if right else f"wrong, exit code {done.returncode}")


def _hand_over(nonce: bytes, case: Case) -> bytes:
    first = hand_over(nonce, Job(case.language, case.source, case.inputs))
    return first + b"".join(message("input", data) for data in case.inputs[1:]) + message("end")


def _printed(nonce: bytes, stdout: bytes) -> bytes:
    return b"".join(line for line in stdout.splitlines(keepends=True) if not line.startswith(nonce))


class Piston:
    """A server of engineer-man/piston."""

    name = "piston"

    def __init__(self, http: Http, prefix: str = "") -> None:
        self._http = http
        self._path = f"{prefix}/api/v2/execute"

    def __call__(self, case: Case) -> Answer:
        """One request of one input."""
        body = {
            "language": case.language,
            "version": "*",
            "files": [{"content": case.source.decode()}],
            "stdin": case.inputs[0].decode(),
        }
        return _ask(self._http, self._path, body, case, lambda told: told["run"]["stdout"])


class Codapi:
    """A server of nalgeon/codapi. It has no stdin: the input stands in the program."""

    name = "codapi"

    def __init__(self, http: Http, prefix: str = "") -> None:
        self._http = http
        self._path = f"{prefix}/v1/exec"

    def __call__(self, case: Case) -> Answer:
        """One request of one input."""
        code = f"import io, sys\nsys.stdin = io.StringIO({case.inputs[0].decode()!r})\n{case.source.decode()}"
        body = {"sandbox": case.language, "command": "run", "files": {"": code}}
        return _ask(self._http, self._path, body, case, lambda told: told["stdout"])


PEERS: Final[Mapping[str, Callable[[Http, str], Column]]] = {"piston": Piston, "codapi": Codapi}


class _Reader(Protocol):
    def __call__(self, told: Any, /) -> str: ...


def _ask(http: Http, path: str, body: object, case: Case, read: _Reader) -> Answer:
    ms, status, data = http.post(path, json.dumps(body).encode())
    ended = time.perf_counter()
    if status != 200:
        return Answer(ended, ms, str(status or data.decode()))
    try:
        said = read(json.loads(data)).strip()
    except (ValueError, KeyError, TypeError):
        return Answer(ended, ms, "not an answer")
    return Answer(ended, ms, "" if said.encode() == case.expected[0].strip() else "wrong")
