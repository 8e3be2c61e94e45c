"""A host in namespaces of this machine: an engine, processes and a network of its own, on the disk of an emulated one.

Its kernel is this machine's, and so it is as fast. It is switched on where an interface named `switch` is a bridge.
"""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.hosts.machine import Machine

SPACES: Final = ("--net", "--mount", "--pid", "--uts", "--ipc")
ENGINE_TIME: Final = 120.0
"""Seconds until its engine must answer."""
OWN: Final = "code-runner-node"
"""Its containers' cgroup parent, before its number; and a file in its /run, without which it is not there yet."""
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
START: Final = f"""
set -e
root=$1 disk=$2 images=$3 number=$4
until ip address add 10.0.0.$number/24 dev node 2>/dev/null; do sleep 0.1; done
ip link set node up
ip link set lo up
mount --make-rprivate /
mount -o loop $disk $root
cd $root
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /sys/fs/cgroup sys/fs/cgroup
if mountpoint -q sys/fs/cgroup/unified; then umount -l sys/fs/cgroup/unified; fi
for each in run tmp dev; do mount -t tmpfs tmpfs $each; done
touch run/{OWN}
chmod 1777 tmp
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
ln -s /proc/self/fd dev/fd
mkdir dev/shm dev/pts dev/mqueue
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
touch dev/vdb
mount --bind $images dev/vdb
hostname node$number
mkdir -p old
pivot_root . old
umount -l old
export PATH={PATH}
exec dockerd --exec-opt=native.cgroupdriver=cgroupfs --cgroup-parent=/{OWN}$number
"""


class Space(Machine):
    """It has the machine's ways; `cut` is what others see of a power cut: it says nothing more."""

    def __init__(self, folder: Path, images: Path, number: int) -> None:
        super().__init__(folder, images, f"node{number}")
        self._number = number
        self._first = 0

    def boot(self) -> None:
        """Switches it on; returns when its engine answers."""
        root = self._own("root")
        root.mkdir(exist_ok=True)
        given = (root, self._own("img"), self._images, str(self._number))
        command = ("unshare", *SPACES, "--fork", "--kill-child", "bash", "-c", START, "start", *given)
        self._first = _child(self._start(command).pid)
        cable = ("type", "veth", "peer", "name", "node", "netns", str(self._first))
        _ip("link", "add", "name", self._name, *cable)
        _ip("link", "set", self._name, "master", "switch", "up")
        self._wait("docker version", ENGINE_TIME, 1, "its engine does not start")

    def cut(self) -> None:
        """Pulls its cable, and kills all that runs there."""
        if self._running:
            _ip("link", "set", self._name, "down")
        super().cut()

    def end(self) -> None:
        """Switched off, and without its own disk."""
        super().end()
        self._own("console").unlink(missing_ok=True)
        self._own("root").rmdir()

    def _words(self, command: str) -> Sequence[str]:
        spaces = ("--mount", "--pid", "--uts", "--ipc", "--net")
        words = ("nsenter", f"--target={self._first}", *spaces, "env", "-i", f"PATH={PATH}", "HOME=/root")
        return (*words, "bash", "-c", f"test -e /run/{OWN} || exit 1\n{command}")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _child(pid: int) -> int:
    """The process that `unshare` has forked: PID 1 in there."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    while not (found := children.read_text().split()):
        time.sleep(0.05)
    return int(found[0])
