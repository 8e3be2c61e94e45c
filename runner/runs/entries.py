"""What the audit file says of a start and of a run: facts and hashes, never a program's text. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from runner.policy.policy import Policy
from runner.runs.client import Client
from runner.runs.report import seconds
from runner.runs.result import Result, signal_name
from runner.sandbox.job import Job

Fields = dict[str, Any]


def service(instance: str, policies: Mapping[str, Policy], images: Mapping[str, str | None]) -> Fields:
    """What a server serves from its start on."""
    served = {
        name: {
            "policy": policy.digest,
            "profile": policy.profile,
            "image": images.get(name),
            "waivers": dict(policy.waivers),
        }
        for name, policy in policies.items()
    }
    return {"instance": instance, "policies": served}


def started(job: Job, policy: Policy, *, name: str, argv: Sequence[str], image: str | None, client: Client) -> Fields:
    """A program is about to be handed to a container; ``image``: what its tag meant when it was last looked up."""
    return {
        "job": name,
        **_who(client),
        "language": policy.name,
        "policy": policy.digest,
        "profile": policy.profile,
        "image": image,
        "argv": list(argv),
        "source": _hashed(job.source),
        "inputs": [_hashed(data) for data in job.inputs],
        "files": [_hashed(file.name.encode() + b"\0" + file.data) for file in job.files],
        "args": [_hashed(data) for data in (*job.compile_args, *job.args)],
        "env": [_hashed(name.encode() + b"=" + value) for name, value in job.env],
        "idempotency_key": job.idempotency_key,
    }


def ended(result: Result, client: Client, live_input: str | None = None) -> Fields:
    """How it ended; ``live_input``: the sha256 of what came after its start."""
    verdict = result.last
    observed, ending, own = verdict.observed, verdict.observed.ending, verdict.own
    times = {
        "queued": result.facts.queued,
        "compile": result.compiled.observed.wall_time if result.compiled else None,
        "wall": sum(run.observed.wall_time for run in result.runs),
        "cpu": ending.cpu_time if ending else None,
    }
    return {
        "job": result.facts.id,
        **_who(client),
        "language": result.policy.name,
        "status": verdict.status,
        "reason": verdict.reason,
        "runs": len(result.runs),
        "exit_code": own.exit_code if own else None,
        "signal": signal_name(own.signal) if own and own.signal else None,
        "times": {name: seconds(value) for name, value in times.items()},
        "live_input": live_input,
        "peak_memory": ending.peak_memory if ending else None,
        "stdout": len(observed.stdout.data) + observed.stdout.dropped,
        "stderr": len(observed.stderr.data) + observed.stderr.dropped,
        "results": [_hashed(file.data) for run in result.runs for file in run.observed.results],
    }


def lost(name: str, policy: Policy, client: Client, reason: str) -> Fields:
    """It has no verdict: its client left, the service was stopped, or the engine failed."""
    return {"job": name, **_who(client), "language": policy.name, "status": None, "reason": reason}


def repeated(name: str, job: Job, client: Client) -> Fields:
    """The answer of a run is given once more: nothing is run."""
    return {"job": name, **_who(client), "language": job.language, "idempotency_key": job.idempotency_key}


def _who(client: Client) -> Fields:
    return {"client": client.address, "api": client.api, "key": client.key}


def _hashed(data: bytes) -> Fields:
    return {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
