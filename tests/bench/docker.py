"""Docker commands of the benchmark itself, and its cleaning up."""

import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.policy import argv
from runner.sandbox.process import environment

COMMAND_TIME = 30.0


def docker(*arguments: str) -> str:
    """What a short docker command prints."""
    return call(("docker", *arguments))


def call(command: tuple[str, ...]) -> str:
    """What a short command prints; raises with its own words when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=COMMAND_TIME, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:3])}: {done.stderr.strip()}")
    return done.stdout


def containers_of(instance: str) -> list[str]:
    """Every container, in whatever state, that carries the instance's label."""
    return call(argv.names_of(instance)).split()


@contextmanager
def removing(instance: str) -> Iterator[None]:
    """At its end no container of the instance is left."""
    try:
        yield
    finally:
        if names := containers_of(instance):
            call(argv.remove(*names))


def export(image: str, instance: str, folder: Path) -> None:
    """Unpacks an image's root file system."""
    folder.mkdir(mode=0o755)
    made = docker("create", "--pull=never", f"--label={argv.LABEL}={instance}", image, "true").strip()
    command = ("docker", "export", made)
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as client,
        tarfile.open(fileobj=client.stdout, mode="r|") as archive,
    ):
        archive.extractall(folder, filter="fully_trusted")
    call(argv.remove(made))
