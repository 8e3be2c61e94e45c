"""Clients of a cluster, which ask again as `runner.client` does; and what they heard."""

import json
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

import httpx

from runner.client import Client, NoAnswer, Refused, Retry

CODE: Final = "import time\nnumber = input()\ntime.sleep(4)\nprint(number)"
PATIENCE: Final = 400.0
"""Seconds that a client waits for what the front has to say: more than the front waits for a node."""
RETRY_TIME: Final = 600.0
"""Seconds that the waits of a client may take together."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that was asked for."""

    heard: tuple[tuple[str, float], ...]
    """Why it was asked for again, and after how many seconds that was heard, each time."""
    wrong: str
    """What came in the place of its answer, if that did not come."""


def ask(url: str, name: str, number: int, key: str = "") -> Asked:
    """One client, by the name under which it asks: until it has an answer, or gives up."""
    began = time.monotonic()
    heard: list[tuple[str, float]] = []

    def told(_: float, error: Refused | NoAnswer) -> None:
        nonlocal began
        heard.append((f"{error.status} {error.title}, Retry-After: {error.seconds}", time.monotonic() - began))
        began = time.monotonic()

    with Client(url, retry=Retry(seconds=RETRY_TIME, told=told)) as client:
        client._http.headers["Host"] = name
        client._http.timeout = httpx.Timeout(PATIENCE)
        try:
            report = client.run("python", CODE, input=str(number), idempotency_key=key)
        except (Refused, NoAnswer) as error:
            return Asked(tuple(heard), f"{error.status} {error}")
    return Asked(tuple(heard), "" if report["stdout"] == f"{number}\n" else str(report))


class Load:
    """So many clients, each of whom asks for one run after the other, with a key for each, as long as it is open."""

    def __init__(self, url: str, name: str, clients: int) -> None:
        self._url, self._name = url, name
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._client) for _ in range(clients)]
        self.asked: list[Asked] = []
        """Complete when it is closed: then each client has heard its last word."""

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _client(self) -> None:
        while not self._over.is_set():
            self.asked.append(ask(self._url, self._name, len(self.asked), str(uuid.uuid4())))


def told(asked: Sequence[Asked]) -> list[str]:
    """How many had their answers, and what was heard on the way there."""
    wrong = [each.wrong[:300] for each in asked if each.wrong]
    again = sum(bool(each.heard) for each in asked)
    heard: defaultdict[str, list[float]] = defaultdict(list)
    for why, after in (each for one in asked for each in one.heard):
        heard[why].append(after)
    return [
        f"{len(asked)} runs: {len(asked) - len(wrong)} with the right answer, {again} asked again",
        *(f"{len(times)} x {why}, after {min(times):.0f} to {max(times):.0f} s" for why, times in heard.items()),
        *(f"no answer: {each}" for each in wrong),
    ]


def keys(lines: Iterable[str]) -> str:
    """Of all nodes' audit files: how often was begun, and completed, what has an idempotency key."""
    begun: defaultdict[str, list[str]] = defaultdict(list)
    completed: set[str] = set()
    for entry in (json.loads(line) for line in lines if line.endswith("}")):
        if entry["event"] == "started" and (key := entry["idempotency_key"]):
            begun[key].append(entry["job"])
        elif entry["event"] == "ended" and entry["reason"] == "completed":
            completed.add(entry["job"])
    ends = Counter(len(completed & {*jobs}) for jobs in begun.values())
    again = sum(len(jobs) > 1 for jobs in begun.values())
    counted = ", ".join(f"{ends[times]} completed {times} time{'s' * (times != 1)}" for times in sorted(ends))
    return f"{len(begun)} keys: {again} begun more than once; {counted}"
