"""Saturation for as long as it takes: every answer is the right one, and nothing grows. ``python -m tests.soak``."""

import argparse
import json
import random
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.harness import LANGUAGES, Held, Server, audited, eventually, serving

MEBIBYTE = 1024 * 1024
CLIENTS = 12
PATIENT = {"cpp.toml": ("compile-time = 10.0", "compile-time = 30.0")}
"""A compiler that needs 2 s of the processor may have waited longer than 10 s for it beside all the others."""
PYTHON = """import sys
print("{token}", sys.stdin.read())
print("{token}" * {times}, file=sys.stderr)
sys.exit({code})
"""
CPP = """#include <iostream>
#include <string>
int main() {{
    std::string line;
    std::getline(std::cin, line, '\\0');
    std::cout << "{token} " << line << std::endl;
    for (int i = 0; i < {times}; i++) std::cerr << "{token}";
    std::cerr << std::endl;
    return {code};
}}
"""


@dataclass(frozen=True)
class Case:
    """A program whose every output is its own."""

    language: str
    token: str
    input: str
    times: int
    code: int

    @property
    def body(self) -> dict[str, str]:
        """What is sent."""
        text = PYTHON if self.language == "python" else CPP
        source = text.format(token=self.token, times=self.times, code=self.code)
        return {"language": self.language, "code": source, "input": self.input}

    def is_right(self, answer: dict[str, object]) -> bool:
        """Whether this is the answer to just this program."""
        expected = {
            "status": "runtime_error" if self.code else "success",
            "exit_code": self.code,
            "stdout": f"{self.token} {self.input}\n",
            "stderr": self.token * self.times + "\n",
        }
        return answer.items() >= expected.items()


def draw(chance: random.Random) -> Case:
    """Mostly Python, as compiling takes long; outputs below the limit."""
    language = "cpp" if chance.random() < 0.05 else "python"
    noise = "".join(chance.choices("abcdef \né€", k=chance.choice((0, 1, 100, 20_000))))
    times, code = chance.choice((1, 1000)), chance.choice((0, 0, 7))
    return Case(language, f"{chance.getrandbits(128):032x}", noise, times, code)


@dataclass
class Figures:
    """What came of it."""

    right: int = 0
    aborted: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def client(server: Server, seed: int, runs: int, figures: Figures) -> None:
    """So many programs; every twentieth is left alone after a moment."""
    chance = random.Random(seed)
    with httpx.Client(base_url=server.url, timeout=60) as session:
        for _ in range(runs):
            case = draw(chance)
            if chance.random() < 0.05:
                abort(server, case, chance)
                with figures.lock:
                    figures.aborted += 1
                continue
            began = time.monotonic()
            answer = session.post("/run", json=case.body)
            with figures.lock:
                figures.times.append(time.monotonic() - began)
                if answer.status_code != 200:
                    figures.problems[answer.json()["title"]] += 1
                elif case.is_right(answer.json()):
                    figures.right += 1
                else:
                    figures.wrong.append(str({**answer.json(), "command": []})[:500])


def abort(server: Server, case: Case, chance: random.Random) -> None:
    """Asks, and hangs up: at once, or while the program waits or runs."""
    body = json.dumps(case.body).encode()
    head = "POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    length = f"Content-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall((head + length).encode() + body)
        time.sleep(chance.choice((0.0, 0.05, 0.5, 1.5)))


def settled(server: Server) -> Held:
    """What it holds when nobody asks anything: no client, no program, only containers that wait.

    The least of ten looks while it has no other command: now and then it looks around, or renews a container.
    """
    assert eventually(lambda: not server.jobs() and len(server.containers()) == len(server.clients()) == 4, 60)
    found: list[Held] = []

    def looked() -> bool:
        before, held, after = server.children(), server.holds(), server.children()
        found.extend([held] * (before == after == 4))
        return len(found) == 10

    assert eventually(looked, 60)
    return min(found, key=lambda held: held.files)


def soak(folder: Path, runs: int, seed: int) -> list[str]:
    """What went wrong; the figures are printed."""
    chance, figures = random.Random(seed), Figures()
    with serving(folder, edit=PATIENT, warm=2, languages=LANGUAGES, waiting_memory="64m") as server:
        client(server, chance.getrandbits(32), 4, Figures())  # what is loaded and kept for good is there then
        assert eventually(lambda: all(server.get("/ready").json()["verified"].values()), 60)  # that takes containers
        before, began = settled(server), time.monotonic()
        with ThreadPoolExecutor(CLIENTS) as clients:
            shares = [runs // CLIENTS + (each < runs % CLIENTS) for each in range(CLIENTS)]
            seeds = [chance.getrandbits(32) for _ in shares]
            running = [clients.submit(client, server, *each, figures) for each in zip(seeds, shares, strict=True)]
            for each in running:
                each.result()
        took = time.monotonic() - began
        after = settled(server)
        log = server.log.read_text()
    audit = audited(folder / "audit.jsonl")
    times = sorted(figures.times)
    print(f"{runs} runs in {took:.0f} s, {runs / took:.2f} a second, seed {seed}")
    print(f"right {figures.right}, aborted {figures.aborted}, wrong {len(figures.wrong)}")
    print(f"refused {dict(figures.problems)}")
    print(f"answers: median {times[len(times) // 2]:.2f} s, longest {times[-1]:.2f} s")
    print(f"before: {before.memory / MEBIBYTE:.1f} MiB, {before.files} files, {before.threads} threads")
    print(f"after:  {after.memory / MEBIBYTE:.1f} MiB, {after.files} files, {after.threads} threads")
    print(f"audit: {audit['runs']} runs, open {audit['open']}, broken {audit['broken']}")
    faults = {
        "wrong answers": figures.wrong,
        "refusals": figures.problems,
        "lost": figures.right + figures.aborted != runs,
        "jobs without an end": audit["open"],
        "files": after.files > before.files,
        "threads": after.threads > before.threads + 2,
        "memory": after.memory > before.memory + 24 * MEBIBYTE,
        "errors in the log": [line for line in log.splitlines() if " ERROR " in line][:5],
    }
    return [f"{name}: {found}" for name, found in faults.items() if found]


def main() -> int:
    """Exit code 1 when anything went wrong."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=3000)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    args = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        faults = soak(Path(folder), args.runs, args.seed)
    print("\n".join(faults) or "all is well")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
