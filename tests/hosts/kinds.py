"""The hosts that are tried: which Debian, and what makes its engine another one. Pure."""

from dataclasses import dataclass
from typing import Final

from runner.host.checks import IDS

LOAD: Final = "docker image inspect code-runner-python:3 >/dev/null 2>&1 || docker load --quiet </dev/vdb"
"""The engine that Debian installs has them from `load`; where it is another, they lie on a disk of their own."""
PEOPLE: Final = f"""
useradd --create-home --shell /bin/bash people
echo people:{IDS} | tee /etc/subuid >/etc/subgid
"""


def _configured(settings: str) -> str:
    """The engine with this daemon.json."""
    return f"mkdir -p /etc/docker && echo '{settings}' >/etc/docker/daemon.json && systemctl restart docker\n{LOAD}"


@dataclass(frozen=True)
class Architecture:
    """Which processor is emulated."""

    name: str
    """As Debian says."""
    emulator: tuple[str, ...]
    """QEMU's command for it."""
    console: str
    """The kernel's name of its first serial line."""


AMD64: Final = Architecture("amd64", ("qemu-system-x86_64", "-cpu", "max"), "ttyS0")
ARM64: Final = Architecture("arm64", ("qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72"), "ttyAMA0")
"""That one runs programs of 32 bits, too, and signs no pointers, which is slow to emulate."""


@dataclass(frozen=True)
class Host:
    """One line of the table."""

    name: str
    suite: str
    about: str
    prepare: str
    """A script that root runs once; then the engine answers, and has the images."""
    user: str = "root"
    """Who starts the server, and whose the engine is."""
    environment: tuple[str, ...] = ()
    engine: str = "systemctl show --property=MainPID --value docker"
    """Prints the engine's process id."""
    service: bool = False
    """Whether the unit and compose.yaml are tried."""
    tests: bool = False
    """Whether README's test command is run by its programs, on this machine's kernel."""
    architecture: Architecture = AMD64

    @property
    def disk(self) -> str:
        """The folder of its disk: hosts of one suite and architecture begin with the same."""
        return self.suite if self.architecture == AMD64 else f"{self.suite}-{self.architecture.name}"


CRUN: Final = _configured('{"default-runtime": "crun", "runtimes": {"crun": {"path": "/usr/bin/crun"}}}')
USERNS: Final = PEOPLE + _configured('{"userns-remap": "people"}')
ROOTLESS: Final = f"""
systemctl disable --quiet --now docker.service docker.socket
{PEOPLE}
mkdir -p /etc/systemd/system/user@.service.d
printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' >/etc/systemd/system/user@.service.d/delegate.conf
systemctl daemon-reload
loginctl enable-linger people
chown -R people: /opt/code-runner
cat >/home/people/start <<'END'
mkdir -p ~/bin # the tool wants docker beside it, and Debian has it elsewhere
ln -sf $(command -v docker) /usr/share/docker.io/contrib/dockerd-rootless* ~/bin
export XDG_RUNTIME_DIR=/run/user/$(id -u) PATH=~/bin:$PATH:/usr/sbin:/sbin
until [ -S $XDG_RUNTIME_DIR/bus ]; do sleep 1; done
dockerd-rootless-setuptool.sh install --skip-iptables
export DOCKER_HOST=unix://$XDG_RUNTIME_DIR/docker.sock
until docker version >/dev/null 2>&1; do sleep 1; done
docker load --quiet
END
timeout 3600 runuser -u people -- sh -e /home/people/start </dev/vdb
"""
BUILT: Final = "docker import - code-runner-base:trixie </dev/vdb && sh images/build"
"""There are no images of another architecture here: what lies on the disk is their base."""
PODMAN: Final = f"""
systemctl disable --quiet --now docker.service docker.socket
printf '#!/bin/sh\\nexec podman "$@"\\n' >/usr/local/bin/docker # as podman-docker's
chmod +x /usr/local/bin/docker
{LOAD}
"""
_ROOTLESS_ENGINE: Final = "pgrep --newest --exact --uid people dockerd"
_RUNTIME_FOLDER: Final = "/run/user/$(id -u people)"
_PEOPLES: Final = (f"XDG_RUNTIME_DIR={_RUNTIME_FOLDER}", f"DOCKER_HOST=unix://{_RUNTIME_FOLDER}/docker.sock")

HOSTS: Final = (
    Host("trixie", "trixie", "as Debian installs it", LOAD, service=True, tests=True),
    Host("trixie-crun", "trixie", "crun in runc's place", CRUN),
    Host("trixie-userns", "trixie", "userns-remap", USERNS),
    Host("trixie-rootless", "trixie", "rootless, delegated", ROOTLESS, "people", _PEOPLES, _ROOTLESS_ENGINE),
    Host("trixie-podman", "trixie", "podman as docker", PODMAN, engine="echo 0"),
    Host("trixie-arm64", "trixie", "aarch64, as Debian installs it", BUILT, architecture=ARM64),
    Host("sid", "sid", "as Debian installs it", LOAD, tests=True),
    Host("sid-crun", "sid", "crun in runc's place", CRUN),
)
