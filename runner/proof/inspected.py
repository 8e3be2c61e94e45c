"""What `docker inspect` and `docker info` say of a claim."""

import json
from collections.abc import Callable
from typing import Final

from runner.policy.rules import size
from runner.proof.observers import Observer
from runner.proof.seen import Claim, Said, Seen

Wanted = Callable[[Claim], object]


def field(path: str, want: Wanted) -> Observer:
    """One value, which must be exactly this."""

    def look(claim: Claim, seen: Seen) -> Said | None:
        if seen.inspect is None:
            return None
        found = seen.docker(path)
        return Said(_told(path, found), found == want(claim))

    return look


def _told(path: str, found: object) -> str:
    return f"{path.rpartition('.')[2]} {json.dumps(found)}"


def always(value: object) -> Wanted:
    """Whatever the claim says."""
    return lambda claim: value


def value(claim: Claim) -> object:
    """The claim's own words."""
    return claim.value


def number(claim: Claim) -> object:
    """A whole number."""
    return int(claim.value)


def size_of(claim: Claim) -> object:
    """Bytes."""
    return size(claim.value)


def nano_cpus(claim: Claim) -> object:
    """Billionths of a CPU."""
    return round(float(claim.value) * 1e9)


def values(claim: Claim) -> object:
    """Those of all lines of the flag, in their order."""
    return list(claim.values(claim.flag))


def user(claim: Claim, seen: Seen) -> Said | None:
    """With the uid that this container was given."""
    return field("Config.User", lambda claim: claim.value.replace("{uid}", str(seen.uid)))(claim, seen)


def capabilities(claim: Claim, seen: Seen) -> Said | None:
    """Everything dropped, nothing added."""
    if seen.inspect is None:
        return None
    dropped, added = seen.docker("HostConfig.CapDrop"), seen.docker("HostConfig.CapAdd")
    text = f"CapDrop {json.dumps(dropped)}, CapAdd {json.dumps(added)}"
    return Said(text, dropped == [claim.value] and not added)


def tmpfs(claim: Claim, seen: Seen) -> Said | None:
    """The options as they were written."""
    if seen.inspect is None:
        return None
    path, _, options = claim.value.partition(":")
    found = seen.docker("HostConfig.Tmpfs")
    given = found.get(path) if isinstance(found, dict) else None
    return Said(f"Tmpfs {json.dumps(given)}", given == options)


def environment(claim: Claim, seen: Seen) -> Said | None:
    """The variable is one of the container's."""
    if seen.inspect is None:
        return None
    found = claim.value in _strings(seen, "Config.Env")
    return Said(f"Env has {claim.value}" if found else "Env has it not", found)


def ulimit(claim: Claim, seen: Seen) -> Said | None:
    """Soft and hard."""
    if seen.inspect is None:
        return None
    name, _, limits = claim.value.partition("=")
    soft, _, hard = limits.partition(":")
    rows = seen.docker("HostConfig.Ulimits")
    found = next((row for row in rows if row.get("Name") == name), None) if isinstance(rows, list) else None
    wanted = {"Name": name, "Soft": int(soft), "Hard": int(hard or soft)}
    return Said(f"{found['Soft']}:{found['Hard']}" if found else "no such ulimit", found == wanted)


def security_opt(claim: Claim, seen: Seen) -> Said | None:
    """The word, or the whole profile: docker's client sends the file's contents."""
    if seen.inspect is None:
        return None
    found = _strings(seen, "HostConfig.SecurityOpt")
    key, _, setting = claim.value.partition("=")
    if key == "seccomp":
        given = [option.partition("=")[2] for option in found if option.startswith("seccomp=")]
        same = seen.profile is not None and [_json(text) for text in given] == [seen.profile]
        return Said(f"the profile is {'' if same else 'not '}that of {setting}", same)
    if key == "apparmor":
        return field("AppArmorProfile", always(setting))(claim, seen)
    words = [option for option in found if option.startswith(key)]
    return Said(f"SecurityOpt {json.dumps(words)}", words in ([key], [f"{key}:true"], [f"{key}=true"]))


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _strings(seen: Seen, path: str) -> list[str]:
    found = seen.docker(path)
    return [str(each) for each in found] if isinstance(found, list) else []


def confined(claim: Claim, seen: Seen) -> Said | None:
    """Seccomp is not switched off."""
    if seen.inspect is None:
        return None
    off = [option for option in _strings(seen, "HostConfig.SecurityOpt") if "unconfined" in option[:40]]
    return Said(f"SecurityOpt {json.dumps(off)}" if off else "not unconfined", not off)


_SHARED: Final = ("Binds", "Devices", "Links", "VolumesFrom", "PidMode", "UTSMode", "UsernsMode", "CgroupParent")


def nothing_shared(claim: Claim, seen: Seen) -> Said | None:
    """No mount, no device, no namespace of the host's or of another container's."""
    if seen.inspect is None:
        return None
    shared = [name for name in ("Privileged", *_SHARED) if seen.docker(f"HostConfig.{name}")]
    shared += ["Mounts"] if seen.docker("Mounts") else []
    return Said(f"shared: {' '.join(shared) or 'nothing'}", not shared)


def engine(key: str) -> Observer:
    """Whether the engine can keep such a limit: where it cannot, docker drops it with a warning."""

    def look(claim: Claim, seen: Seen) -> Said | None:
        able = (seen.engine or {}).get(key)
        return None if able is None else Said(f"docker info: {key} {json.dumps(able)}", able is True)

    return look
