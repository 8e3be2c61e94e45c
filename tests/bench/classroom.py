"""A class presses Run within a second: when the first, the median and the last have their answer, and what it takes."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from typing import Final

from tests.bench import figures, load, machine
from tests.bench.cases import PYTHON
from tests.bench.figures import Answer
from tests.bench.report import Goal, Table, said
from tests.bench.sections import Bench, Section
from tests.bench.serving import HOST

PRESS_TIME: Final = 1.0
"""Seconds within which all press Run."""
PATIENCE: Final = 120.0
"""Seconds that a client keeps its connection open: longer than the server lets anybody wait."""
CEILING_CLIENTS: Final = 4
"""At which a loop of `docker run` is at its best on two cores."""


def classroom(bench: Bench, pupils: int, rounds: int) -> Section:
    """So many clients, each of an address of its own, so many times; the ceiling is measured before and after."""
    rates = [_ceiling(bench)]
    answers: list[list[Answer]] = []
    memory: list[tuple[float, float, float]] = []
    for number in range(rounds):
        machine.settle()
        before = machine.rss_mb(bench.server.pid)
        with ThreadPoolExecutor(pupils) as threads:
            began = time.perf_counter()
            asked = [threads.submit(_press, bench, began, each, pupils) for each in range(pupils)]
            time.sleep(PRESS_TIME + 0.5)
            waiting = machine.rss_mb(bench.server.pid)
            answers.append([each.result() for each in asked])
        machine.settle()
        memory.append((before, waiting, machine.rss_mb(bench.server.pid)))
        rates.append(_ceiling(bench))
        bench.note(f"class: round {number + 1} of {rounds}, {len(figures.right(answers[-1]))} right answers")
    return _section(answers, memory, rates)


def _ceiling(bench: Bench) -> float:
    """Runs per second of a plain loop of `docker run`."""
    seen = load.window(bench.cold, PYTHON, CEILING_CLIENTS, bench.seconds)
    return len(figures.right(seen.inside)) / seen.seconds


def _press(bench: Bench, began: float, number: int, pupils: int) -> Answer:
    """One client's only request, after its share of the second; its time is from when it has connected."""
    address = f"127.1.{number // 250}.{number % 250 + 1}"
    connection = HTTPConnection(HOST, bench.server.port, timeout=PATIENCE, source_address=(address, 0))
    body = json.dumps({"language": PYTHON.language, "code": PYTHON.source.decode(), "input": PYTHON.inputs[0].decode()})
    time.sleep(max(0.0, began + PRESS_TIME * number / pupils - time.perf_counter()))
    pressed = time.perf_counter()
    try:
        connection.request("POST", "/run", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        told = json.loads(answer.read())
    except (OSError, HTTPException) as error:
        return Answer(time.perf_counter(), 0.0, str(error))
    finally:
        connection.close()
    ended = time.perf_counter()
    right = answer.status == 200 and told["stdout"].encode() == PYTHON.expected[0]
    return Answer(ended, (ended - pressed) * 1000, "" if right else str(answer.status))


def _section(answers: list[list[Answer]], memory: list[tuple[float, float, float]], rates: list[float]) -> Section:
    rows, last_by_ideal = [], []
    for number, (found, held) in enumerate(zip(answers, memory, strict=True)):
        seconds = sorted(ms / 1000 for ms in figures.right(found))
        ideal = len(found) / ((rates[number] + rates[number + 1]) / 2)
        first, median, last = (seconds[0], figures.median(seconds), seconds[-1]) if seconds else (None, None, None)
        last_by_ideal.append(figures.ratio(last, ideal))
        rows.append((len(found), first, median, last, ideal, last_by_ideal[-1], *held, said(figures.problems(found))))
    refused = sum(bool(answer.problem) for found in answers for answer in found)
    head = (
        "clients",
        "first",
        "median",
        "last",
        "ideal",
        "last / ideal",
        "MB before",
        "MB waiting",
        "MB after",
        "refused",
    )
    notes = (
        f"seconds; all press Run within {PRESS_TIME:g} s, each from an address of its own",
        f"ideal: as many by a plain loop of docker run, {', '.join(f'{rate:.1f}' for rate in rates)} runs/s in between",
    )
    return Section(
        [Table("A class presses Run: python", head, tuple(rows), notes)],
        [
            Goal("class: refused, or without a right answer", 0, refused, unit=""),
            Goal("class: the last answer / ideal, the worst", 1.1, _worst(last_by_ideal)),
            Goal("class: the server's memory after the last / after the first", 1.05, memory[-1][2] / memory[0][2]),
        ],
        {"seconds": [[answer.ms / 1000 for answer in found] for found in answers], "memory": memory, "rates": rates},
    )


def _worst(ratios: list[float | None]) -> float | None:
    return None if None in ratios else max(each for each in ratios if each is not None)
