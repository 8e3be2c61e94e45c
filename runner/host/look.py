"""Looks at the host and asks its engine, once: what ``runner doctor`` judges."""

import dataclasses
import grp
import pwd
import re
import resource
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from runner.errors import EngineError
from runner.host.facts import Facts
from runner.host.kernel import BPF, CORE_PATTERN, DMESG, FLAWS, SMT, VSYSCALL
from runner.host.watch import Watch, is_here
from runner.policy import argv
from runner.policy.configuration import Configuration
from runner.policy.policy import Policy
from runner.sandbox import images, names, process, removal
from runner.sandbox.container import START_TIME
from runner.sandbox.uids import Uids

FILES: Final = (CORE_PATTERN, DMESG, BPF, SMT)


async def look(config: Configuration, instance: str) -> Facts:
    """Everything, once. Takes a second or two: a container of the first language that has its image is started."""
    seen = await Watch(config.settings.audit_file).look()
    endpoint = process.environment().get("DOCKER_HOST", "")
    mode, group, users = _socket(endpoint)
    kernel = {str(path): text for path in _kernel_files() if (text := _read(path)) is not None}
    seen = dataclasses.replace(
        seen,
        endpoint=endpoint,
        socket_mode=mode,
        socket_group=group,
        socket_users=users,
        kernel=(kernel | _vsyscall()) if is_here(seen) else {},
        swap=_swap() if is_here(seen) else None,
        open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    )
    if seen.info is None:
        return seen
    try:
        return await _with_containers(seen, seen.info, config, instance)
    except EngineError as error:  # it answered a moment ago, and is too slow now, or gone
        return dataclasses.replace(seen, info=None, engine_error=error.detail.strip())


async def _with_containers(seen: Facts, info: Any, config: Configuration, instance: str) -> Facts:
    offset = _offset(str(info.get("SystemTime")), time.time())
    missing = tuple(name for name, found in (await images.identities(config.policies)).items() if found is None)
    policy = next((each for name, each in config.policies.items() if name not in missing), None)
    seconds, error = await _start(policy, instance) if policy else (None, "")
    not_starting = (policy.name,) if policy and seconds is None else ()
    return dataclasses.replace(
        seen,
        clock_offset=offset,
        missing_images=missing,
        not_starting=not_starting,
        start_error=error,
        start_seconds=seconds,
    )


def _offset(told: str, now: float) -> float | None:
    try:
        return datetime.fromisoformat(re.sub(r"\.\d+", "", told)).timestamp() - now
    except ValueError:
        return None


async def _start(policy: Policy, instance: str) -> tuple[float | None, str]:
    """How long it took, or docker's words. A launcher whose stdin is at its end exits at once."""
    name = names.new()
    began = time.monotonic()
    try:
        done = await process.execute(argv.run(policy, name, Uids().take(), instance), START_TIME)
    except EngineError as error:
        await removal.remove(name, settled=False)
        return None, error.detail
    return (time.monotonic() - began, "") if done.code == 0 else (None, done.stderr.strip())


def _socket(endpoint: str) -> tuple[int | None, str, tuple[str, ...]]:
    """Its permissions, and its group with who is in it."""
    if not endpoint.startswith("unix://"):
        return None, "", ()
    try:
        found = Path(endpoint.removeprefix("unix://")).stat()
        group = grp.getgrgid(found.st_gid) if found.st_gid else None
    except OSError:
        return None, "", ()
    except KeyError:  # a group of the host's, seen from inside a container
        return found.st_mode & 0o777, "", ()
    if group is None or not found.st_mode & 0o060:
        return found.st_mode & 0o777, "", ()
    own = {user.pw_name for user in pwd.getpwall() if user.pw_gid == found.st_gid}
    return found.st_mode & 0o777, group.gr_name, tuple(sorted(own.union(group.gr_mem)))


def _kernel_files() -> list[Path]:
    return [*map(Path, FILES), *sorted(Path(FLAWS).glob("*"))]


def _vsyscall() -> dict[str, str]:
    """The kernel's own word on whether it can be read: the command line tells only of what was asked for."""
    lines = (_read(Path(VSYSCALL)) or "").splitlines()
    return {VSYSCALL: "".join(line for line in lines if line.endswith("[vsyscall]"))} if lines else {}


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def _swap() -> int:
    lines = (_read(Path("/proc/meminfo")) or "").splitlines()
    found = next((line.split()[1] for line in lines if line.startswith("SwapTotal:")), "0")
    return int(found) * 1024
