"""What the images hold, and what they do not."""

import re
import subprocess

import pytest

from runner.policy import configuration
from runner.policy.policy import Policy
from tests.harness import docker

pytestmark = pytest.mark.usefixtures("engine")
POLICIES = configuration.load().policies
EACH = pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)


def inside(policy: Policy, script: str) -> str:
    """What a shell script prints in the image, as root and without a network."""
    return docker("run", "--rm", "--network=none", "--entrypoint=sh", policy.image, "-c", script)


@EACH
def test_no_file_raises_privileges(policy: Policy) -> None:
    """No setuid, no setgid, no file capability (CIS 4.8)."""
    assert inside(policy, "find / -xdev -perm /6000 -type f") == ""
    assert inside(policy, "command -v getcap >/dev/null && getcap -r / 2>/dev/null || true") == ""


@EACH
def test_nothing_is_left_of_the_build(policy: Policy) -> None:
    """No package lists, no caches, no logs, no files in /tmp."""
    folders = "/var/lib/apt/lists /var/cache /var/log /tmp /var/tmp /root"
    assert inside(policy, f"find {folders} -type f") == ""


@EACH
def test_the_launcher_cannot_be_read_by_a_program(policy: Policy) -> None:
    """Its interpreter may be executed and not read; its text may be read: it has no secret."""
    assert inside(policy, "stat -c '%a %U %n' /usr/lib/runner/launch /usr/lib/runner/perl") == (
        "555 root /usr/lib/runner/launch\n111 root /usr/lib/runner/perl\n"
    )


@EACH
def test_the_image_has_one_layer(policy: Policy) -> None:
    """What was removed is gone, not covered."""
    assert docker("image", "inspect", "--format={{len .RootFS.Layers}}", policy.image) == "1\n"


def test_versions_are_new_enough() -> None:
    """Python 3.11 and GCC 13, or newer; the titles say which."""
    python = inside(POLICIES["python"], "python3 --version").split()[1]
    gcc = inside(POLICIES["cpp"], "g++ -dumpfullversion").strip()
    assert tuple(map(int, python.split("."))) >= (3, 11)
    assert tuple(map(int, gcc.split("."))) >= (13,)
    assert POLICIES["python"].title == f"Python {python.rpartition('.')[0]}"
    assert POLICIES["cpp"].title == f"C++23 (GCC {gcc.partition('.')[0]})"


def test_the_precompiled_header_is_used() -> None:
    """With the policy's own compile flags, by GCC's own word: ! marks a precompiled header in -H."""
    policy = POLICIES["cpp"]
    source = "#include <bits/stdc++.h>\nint main() {}"
    script = f"cd /tmp; echo '{source}' > main.cpp; {' '.join(policy.compile)} -H -Winvalid-pch"
    command = ["docker", "run", "--rm", "--network=none", "--entrypoint=sh", policy.image, "-c", script]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stderr
    assert re.search(r"^! .*/bits/stdc\+\+\.h\.gch/plain$", said, re.MULTILINE), said
