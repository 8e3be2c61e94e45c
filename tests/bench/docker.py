"""Docker commands of the benchmark itself, and its cleaning up."""

import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.policy import argv
from runner.sandbox.process import environment

COMMAND_TIME = 30.0


def environment_of(host: str = "") -> dict[str, str]:
    """Of docker's client; ``host``: the URL of another engine than the usual."""
    return environment() | ({"DOCKER_HOST": host} if host else {})


def docker(*arguments: str, host: str = "") -> str:
    """What a short docker command prints."""
    return call(("docker", *arguments), host)


def call(command: tuple[str, ...], host: str = "") -> str:
    """What a short command prints; raises with its own words when it fails."""
    env = environment_of(host)
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=COMMAND_TIME, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:3])}: {done.stderr.strip()}")
    return done.stdout


def containers_of(instance: str, host: str = "") -> list[str]:
    """Every container, in whatever state, that carries the instance's label."""
    return call(argv.names_of(instance), host).split()


@contextmanager
def removing(instance: str, host: str = "") -> Iterator[None]:
    """At its end no container of the instance is left."""
    try:
        yield
    finally:
        if names := containers_of(instance, host):
            call(argv.remove(*names), host)


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
