"""Looks at the host and asks its engine: what ``runner doctor`` judges."""

import grp
import json
import os
import re
import resource
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from runner.errors import EngineError, PolicyError
from runner.host.checks import BPF, COMMAND_LINE, CORE_PATTERN, DMESG, FLAWS, SMT
from runner.host.facts import Facts
from runner.policy import argv
from runner.policy.configuration import Configuration
from runner.record import audit
from runner.sandbox import images, names, process, removal
from runner.sandbox.container import START_TIME
from runner.sandbox.process import COMMAND_TIME
from runner.sandbox.uids import Uids

SOCKET: Final = "/var/run/docker.sock"
FILES: Final = (CORE_PATTERN, DMESG, BPF, COMMAND_LINE, SMT)


async def look(config: Configuration, instance: str) -> Facts:
    """Everything, once. A container of the first language is started and ended. Takes a second or two."""
    info, error = await _info()
    host = os.environ.get("DOCKER_HOST", "")
    audit_error, audit_free = _audit(config.settings.audit_file)
    missing: tuple[str, ...] = ()
    start = None
    if info is not None:
        missing = tuple(name for name, found in (await images.identities(config.policies)).items() if found is None)
        start = await _start(config, instance)
    return Facts(
        info=info,
        engine_error=error,
        docker_host=host,
        socket_mode=_mode(host.removeprefix("unix://") if host else SOCKET),
        docker_group=_members("docker"),
        disk_free=_free(str((info or {}).get("DockerRootDir", ""))),
        audit_error=audit_error,
        audit_free=audit_free,
        missing_images=missing,
        start_seconds=start,
        kernel={str(path): text for path in _kernel_files() if (text := _read(path)) is not None},
        swap=_swap(),
        open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        clock_offset=_offset(str((info or {}).get("SystemTime")), time.time()),
    )


async def _info() -> tuple[dict[str, Any] | None, str]:
    try:
        found: dict[str, Any] = json.loads(await process.output(argv.engine_info(), COMMAND_TIME))
    except (EngineError, ValueError) as error:
        return None, str(getattr(error, "detail", error)).strip()
    errors = found.get("ServerErrors")
    return (None, "; ".join(errors)) if errors else (found, "")


def _offset(told: str, now: float) -> float | None:
    try:
        return datetime.fromisoformat(re.sub(r"\.\d+", "", told)).timestamp() - now
    except ValueError:
        return None


async def _start(config: Configuration, instance: str) -> float | None:
    """A launcher whose stdin is at its end exits at once."""
    policy = next(iter(config.policies.values()))
    name = names.new()
    began = time.monotonic()
    try:
        done = await process.execute(argv.run(policy, name, Uids().take(), instance), START_TIME)
    except EngineError:
        await removal.remove(name, settled=False)
        return None
    return time.monotonic() - began if done.code == 0 else None


def _audit(path: str) -> tuple[str, int | None]:
    try:
        audit.check(path)
    except PolicyError as error:
        return str(error), None
    return "", _free(str(Path(path).absolute().parent)) if path else None


def _free(folder: str) -> int | None:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    return disk.f_bavail * disk.f_frsize


def _mode(path: str) -> int | None:
    try:
        return Path(path).stat().st_mode & 0o777
    except OSError:
        return None


def _members(group: str) -> tuple[str, ...]:
    try:
        return tuple(grp.getgrnam(group).gr_mem)
    except KeyError:
        return ()


def _kernel_files() -> list[Path]:
    return [*map(Path, FILES), *sorted(Path(FLAWS).glob("*"))]


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def _swap() -> int:
    lines = (_read(Path("/proc/meminfo")) or "").splitlines()
    found = next((line.split()[1] for line in lines if line.startswith("SwapTotal:")), "0")
    return int(found) * 1024
