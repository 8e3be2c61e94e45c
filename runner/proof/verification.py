"""Proof by a real container: started from the policy's own command, fed with a probe, judged by ``proofs``."""

import asyncio
import json
import os
import time
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any, Final

from runner.errors import EngineError
from runner.policy import argv
from runner.policy.policy import Policy
from runner.proof import proofs
from runner.proof.evidence import Evidence
from runner.proof.seen import Seen, answers
from runner.sandbox import process
from runner.sandbox.container import Container
from runner.sandbox.job import Job
from runner.sandbox.live import Live
from runner.sandbox.process import COMMAND_TIME
from runner.sandbox.uids import Uids

PROBE: Final = Path(__file__).with_name("probe.pl")
END_TIME: Final = 10.0
"""Seconds that the container may take to be gone."""
NAMESPACES: Final = ("cgroup", "ipc", "mnt", "net", "pid", "uts")


async def verify(policy: Policy, instance: str) -> Evidence:
    """Proves a policy, line by line; ``EngineError`` where no container can be had."""
    began = time.monotonic()
    seen = await observe(policy, proofs.bounds(policy.docker_run), instance)
    rows = tuple(proofs.rows(policy.docker_run, seen, policy.waivers))
    return Evidence(policy, rows, seen.engine, time.monotonic() - began)


async def observe(policy: Policy, bounds: bytes, instance: str) -> Seen:
    """Starts a container of this policy, has it probed within these bounds, and sees that nothing is left."""
    answer = await process.execute(argv.engine_version(), COMMAND_TIME)
    if answer.code != 0:
        raise EngineError(answer.stderr.strip())
    container = Container(argv.probe(policy), Uids().take(), instance)
    living = asyncio.create_task(container.live())
    try:
        await container.ready()
        commands = argv.inspect(container.name), argv.image_environment(policy.image), argv.engine_info()
        inspect, environment, engine = await asyncio.gather(*(_json(command) for command in commands))
        ran = _command_line(container.client)
        facts = await container.run(Job(policy.name, PROBE.read_bytes(), (bounds,)), 0.0, Live())
    finally:
        container.stop()
        _, late = await asyncio.wait((living,), timeout=END_TIME)
        removed = None if late else await _removed(container)
    return Seen(
        uid=container.uid,
        ran=ran,
        expected=container.argv,
        inspect=inspect,
        image_environment=tuple(environment or ()),
        engine=engine,
        namespaces={kind: os.readlink(f"/proc/self/ns/{kind}") for kind in NAMESPACES},
        profile=_profile(policy.seccomp),
        inside=answers(facts.steps[-1].stdout.data),
        removed=removed,
    )


async def _json(command: tuple[str, ...]) -> Any:
    """What a docker command says, or None."""
    try:
        return json.loads((await process.execute(command, COMMAND_TIME)).stdout)
    except (EngineError, ValueError):
        return None


def _profile(file: str) -> object:
    """The file as it is now; it was valid at the start."""
    try:
        return json.loads(Path(file).read_bytes()) if file else None
    except (OSError, ValueError):
        return None


def _command_line(client: Process | None) -> tuple[str, ...]:
    try:
        return tuple(Path(f"/proc/{client.pid if client else ''}/cmdline").read_text(encoding="utf-8").split("\0")[:-1])
    except OSError:
        return ()


async def _removed(container: Container) -> bool | None:
    """Whether docker had nothing left of it when its client had ended well; what there is, is removed now."""
    try:
        found = await process.execute(argv.names_like(container.name), COMMAND_TIME)
        if found.stdout.strip():
            await process.execute(argv.remove(container.name), COMMAND_TIME)
    except EngineError:
        return None
    well = found.code == 0 and container.client is not None and container.client.returncode == 0
    return not found.stdout.strip() if well else None  # otherwise `live` has removed it, and not --rm
