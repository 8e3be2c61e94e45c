"""What the audit file costs: the two lines of a run, as the service writes them, in a folder of the benchmark."""

import asyncio
import time
from pathlib import Path

from runner.policy import argv
from runner.policy.policy import Policy
from runner.record.audit import Audit
from runner.runs import entries
from runner.runs.client import Client
from runner.runs.result import decide
from runner.sandbox.job import Facts, Job, Observed, Output
from runner.sandbox.protocol import Ending, Step
from tests.bench import figures
from tests.bench.report import FIVE, Goal, Table, five
from tests.bench.sections import Section


def audit(policy: Policy, folder: Path, runs: int) -> Section:
    """Milliseconds from the call until both lines are in the file, one run after the other."""
    measured = asyncio.run(_measure(policy, folder / "audit-cost.jsonl", runs))
    found = figures.summary(measured)
    notes = ("each line is written by a thread of its own; it is not synced to the disk",)
    return Section(
        [Table("The audit file, ms per run", ("", *FIVE), (("started and ended", *five(found)),), notes)],
        [Goal("audit: ms per run, p95", 1.0, found.p95 if found else None, unit="ms")],
        {"ms": measured},
    )


async def _measure(policy: Policy, file: Path, runs: int) -> list[float]:
    output = Output(b"x" * 100, 0)
    ending = Ending(0, None, 0.01, 0.01, 8_000_000, 0, ())
    seen = Observed(Step.RUN, output, output, ending, timed_out=False, seconds=0.01)
    job = Job(policy.name, b"x" * 1000, (b"x" * 1000,))
    audit, measured = Audit(str(file)), []
    for number in range(runs):
        name = f"job-{number}"
        command = argv.run(policy, name, 1_900_000_000, "bench")
        result = decide(Facts(name, 0.0, (seen,), command), policy)
        client = Client("192.0.2.1")
        began = time.perf_counter()
        start = entries.started(job, policy, name=name, argv=command, image="sha256:" + "0" * 64, client=client)
        await audit.write("started", **start)
        await audit.owe("ended", **entries.ended(result, client))
        measured.append((time.perf_counter() - began) * 1000)
    audit.close()
    return measured
