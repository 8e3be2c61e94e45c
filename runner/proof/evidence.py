"""What one verification found, for people and for programs."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from runner.policy.policy import Policy
from runner.proof.proofs import Finding, Row

_ENGINE: Final = {
    "version": "ServerVersion",
    "containerd": "ContainerdCommit.ID",
    "runc": "RuncCommit.ID",
    "kernel": "KernelVersion",
    "cgroup_version": "CgroupVersion",
    "security_options": "SecurityOptions",
    "memory_limit": "MemoryLimit",
    "swap_limit": "SwapLimit",
    "pids_limit": "PidsLimit",
    "cpu_quota": "CpuCfsQuota",
    "cpu_shares": "CPUShares",
    "warnings": "Warnings",
}
"""What is told of the engine, and where `docker info` has it."""
_WIDTH: Final = 70


@dataclass(frozen=True, slots=True)
class Evidence:
    """The rows of one policy, and the engine that they were seen on."""

    policy: Policy
    rows: tuple[Row, ...]
    engine: Mapping[str, Any] | None
    seconds: float

    def claims(self, finding: Finding) -> list[str]:
        """What has this verdict."""
        return [row.claim for row in self.rows if row.finding is finding]

    @property
    def holds(self) -> bool:
        """Whether everything that can be observed was, and is as it is claimed."""
        return not self.claims(Finding.FAILED) and not self.claims(Finding.NOT_OBSERVED)

    def as_json(self) -> dict[str, object]:
        """Everything."""
        return {
            "language": self.policy.name,
            "policy": self.policy.digest,
            "seccomp": self.policy.profile,
            "image": self.policy.image,
            "seconds": round(self.seconds, 3),
            "proved": len(self.claims(Finding.PROVED)),
            "failed": self.claims(Finding.FAILED),
            "not_observed": self.claims(Finding.NOT_OBSERVED),
            "no_observer": self.claims(Finding.NO_OBSERVER),
            "engine": {name: _at(self.engine, path) for name, path in _ENGINE.items()},
            "rows": [asdict(row) for row in self.rows],
        }

    def as_text(self) -> str:
        """A table, and below it the engine and the sum."""
        return "\n".join(_printable(line) for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{'verdict':<13}{'claim':<{_WIDTH}}docker inspect | observed"
        for row in self.rows:
            told = " | ".join(text or "-" for text in (row.inspect, row.seen))
            wide = len(row.claim) >= _WIDTH
            yield f"{row.finding:<13}{row.claim:<{_WIDTH}}" + ("" if wide else told)
            if wide:
                yield " " * (13 + _WIDTH) + told
        engine = {name: _at(self.engine, path) for name, path in _ENGINE.items()}
        yield ""
        yield "engine: " + ", ".join(f"{name} {value}" for name, value in engine.items())
        counts = [f"{len(self.claims(finding))} {finding}" for finding in Finding]
        yield f"{self.policy.name}: {', '.join(counts)}, in {self.seconds:.2f} s"

    def summary(self, age: float) -> dict[str, object]:
        """The sum, for readiness; ``age`` in seconds."""
        return {
            "proved": len(self.claims(Finding.PROVED)),
            "failed": self.claims(Finding.FAILED),
            "age": math.floor(age),
        }


def _at(data: Mapping[str, Any] | None, path: str) -> Any:
    found: Any = data
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
