"""``judge``: a program against a folder of tests, many inputs a container."""

import argparse
import asyncio
import json
import re
import sys
import time
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from runner.commands import remote
from runner.commands.remote import Line
from runner.commands.run import service
from runner.errors import BadRequest
from runner.judge import compare, verdicts
from runner.judge.compare import Compare
from runner.judge.languages import SUFFIXES
from runner.judge.verdicts import OK, Verdict
from runner.policy import configuration
from runner.runs import request
from runner.runs.client import Client
from runner.runs.report import told
from runner.sandbox.job import Job

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Test:
    """``NAME.in``, and ``NAME.out`` beside it."""

    input: Path

    @property
    def name(self) -> str:
        """As it is shown."""
        return self.input.stem

    @property
    def expected(self) -> Path:
        """Where the right output stands."""
        return self.input.with_suffix(".out")


@dataclass(frozen=True, slots=True)
class Engine:
    """Whoever runs the program."""

    run: Callable[[Sequence[bytes]], Awaitable[Report]]
    """Inputs -> a report with ``results``, its output in base64."""
    inputs: int
    """How many it takes at once."""
    data: int
    """Bytes of all of them together."""


def add(arguments: argparse.ArgumentParser) -> None:
    """The program, the tests, and what makes an output right."""
    arguments.add_argument("program", type=Path)
    arguments.add_argument("tests", type=Path, help="a folder of NAME.in and NAME.out")
    arguments.add_argument("--language", help="else it is known by the program's suffix")
    arguments.add_argument("--compare", default="tokens", metavar="HOW", help="exact, tokens (default), or float=1e-6")
    arguments.add_argument("--json", action="store_true", help="print all verdicts as one object")
    remote.add(arguments)


def main(args: argparse.Namespace) -> int:
    """0: every test is passed."""
    return asyncio.run(_judge(args))


async def _judge(args: argparse.Namespace) -> int:
    how, tests, language = compare.parse(args.compare), _tests(args.tests), _language(args)
    line, began, found = remote.progress(), time.monotonic(), list[Verdict]()
    width = max(len(test.name) for test in tests)
    async with _engine(args, language, line) as engine:
        async for some in _verdicts(engine, tests, how, line):
            found += some
            line.show("")
            if not args.json:
                print(*verdicts.rows(some, width), sep="\n", flush=True)
    passed = sum(each.verdict == OK for each in found)
    if args.json:
        head = {"program": str(args.program), "language": language, "compare": how.name}
        print(json.dumps({**head, "passed": passed, "tests": [asdict(each) for each in found]}, indent=2))
    else:
        print(f"{passed} of {len(found)} passed ({language}, {how.name}, {time.monotonic() - began:.1f} s)")
    return 0 if passed == len(found) else 1


def _tests(folder: Path) -> list[Test]:
    """In the order of people, in which 10 comes after 9."""
    inputs = sorted(folder.glob("*.in"), key=lambda path: _natural(path.stem))
    tests = [Test(path) for path in inputs]
    if not tests:
        raise BadRequest(f"{folder}: there is no *.in, so there is nothing to judge by.")
    if lacking := [test.expected.name for test in tests if not test.expected.is_file()]:
        raise BadRequest(f"{folder}: there is no {', '.join(lacking[:5])}; each *.in needs its *.out.")
    return tests


def _natural(name: str) -> list[tuple[str, int]]:
    """Words, each with the number after it."""
    return [(word, int(number or -1)) for word, number in re.findall(r"(\D*)(\d*)", name)]


def _language(args: argparse.Namespace) -> str:
    found: str | None = args.language or SUFFIXES.get(args.program.suffix.lower())
    if found is None:
        raise BadRequest(f"{args.program}: no language is known by that suffix; name it with --language.")
    return found


async def _verdicts(engine: Engine, tests: Sequence[Test], how: Compare, line: Line) -> AsyncIterator[list[Verdict]]:
    """A batch at a time. What a batch had no time for is run again in the next."""
    sizes, done = [test.input.stat().st_size for test in tests], 0
    while done < len(tests):
        some = tests[done : done + verdicts.batch(sizes[done:], engine.inputs, engine.data)]
        line.show(f"judging {done + 1} to {done + len(some)} of {len(tests)}")
        report = await engine.run([test.input.read_bytes() for test in some])
        if not report["results"]:
            line.show("")
            print(verdicts.shown(b64decode(report["compile_output"])), end="", file=sys.stderr)
            yield [verdicts.unbuilt(test.name, report["reason"]) for test in tests[done:]]
            return
        runs = report["results"][: verdicts.judged(report["results"])]
        pairs = zip(some, runs, strict=False)
        yield [verdicts.judge(test.name, run, test.expected.read_bytes(), how) for test, run in pairs]
        done += len(runs)


@asynccontextmanager
async def _engine(args: argparse.Namespace, language: str, line: Line) -> AsyncIterator[Engine]:
    """A server's, or this machine's."""
    if args.server:
        async with _remote(args, language, line) as engine:
            yield engine
        return
    config = configuration.load(args.policies, also=language)
    policy = config.policy(language)
    source = args.program.read_bytes()
    async with service(config, args.policies, policy) as running:

        async def run(inputs: Sequence[bytes]) -> Report:
            job = Job(language, source, tuple(inputs), several=True, base64=True)
            return told(await running.run(request.check(job, {language: policy}), Client("cli")), job)

        yield Engine(run, policy.limits.inputs, policy.limits.input)


@asynccontextmanager
async def _remote(args: argparse.Namespace, language: str, line: Line) -> AsyncIterator[Engine]:
    code = remote.text(args.program)
    async with remote.client(args, line) as client:
        served = {each["language"]: each["limits"] for each in await client.languages()}
        if language not in served:
            raise BadRequest(f"{args.server} runs {', '.join(served)}, and not {language}.")

        async def run(inputs: Sequence[bytes]) -> Report:
            return await client.run(language, code, inputs=inputs, base64=True)

        yield Engine(run, served[language]["inputs"], served[language]["input"])
