"""Every docker command this project ever executes. Nothing a client sends reaches one of them."""

from collections.abc import Sequence
from dataclasses import replace

from runner.policy.policy import Policy

LABEL = "code-runner"
NAME_PLACEHOLDER = "job-<timestamp>-<random>"
UID_PLACEHOLDER = "{uid}"
INSTANCE_PLACEHOLDER = "<instance>"


def run(policy: Policy, name: str, uid: int | str, instance: str) -> tuple[str, ...]:
    """The policy's lines in their order, with its uid, then the container's name and its owner's label."""
    lines = (line.replace(UID_PLACEHOLDER, str(uid)) for line in policy.docker_run)
    added = (f"--name={name}", f"--label={LABEL}={instance}")
    return ("docker", "run", *lines, *added, policy.image, *launch(policy))


def template(policy: Policy) -> tuple[str, ...]:
    """The command with a placeholder for what differs from run to run and from server to server."""
    return run(policy, NAME_PLACEHOLDER, UID_PLACEHOLDER, INSTANCE_PLACEHOLDER)


def launch(policy: Policy) -> tuple[str, ...]:
    """What runs inside: the launcher with the policy's steps, see images/launch."""
    limits = policy.limits
    compile_step: Sequence[str] = ()
    if policy.compile:
        compile_step = (f"--compile-time={limits.compile_time:g}", "--compile", *policy.compile)
    results: Sequence[str] = ()
    if limits.result_files:
        numbers = (f"--result-files={limits.result_files}", f"--result-bytes={limits.result_bytes}")
        results = (f"--results={policy.results}", *numbers)
    ahead = (f"--ahead-unless={policy.ahead_unless}",) if policy.ahead_unless else ()
    source = (f"--source={policy.source}", *ahead)
    times = (f"--wall-time={limits.wall_time:g}", f"--live-time={limits.live_time:g}")
    return (*policy.launcher, *source, *times, *results, *compile_step, "--run", *policy.run)


def probe(policy: Policy) -> Policy:
    """The policy with runner/proof/probe.pl as its program: the lines, the image and the launcher stay as they are."""
    limits = replace(policy.limits, wall_time=10.0, output=2**18, result_files=0)
    run = ("/usr/lib/runner/perl", "probe.pl")  # in every image, for the launcher
    return replace(policy, source="probe.pl", compile=(), run=run, ahead_unless="", limits=limits)


def kill(name: str) -> tuple[str, ...]:
    """Ends a running container at once."""
    return ("docker", "kill", name)


def remove(*names: str) -> tuple[str, ...]:
    """Removes containers in whatever state they are."""
    return ("docker", "rm", "--force", "--volumes", *names)


def names_like(name: str) -> tuple[str, ...]:
    """Lists the container of exactly this name, in whatever state; prints nothing when it is gone."""
    return ("docker", "ps", "--all", "--no-trunc", f"--filter=name=^{name}$", "--format={{.Names}}")


def names_of(instance: str) -> tuple[str, ...]:
    """Lists every container that this instance of the runner has left."""
    return ("docker", "ps", "--all", "--no-trunc", f"--filter=label={LABEL}={instance}", "--format={{.Names}}")


def left_over() -> tuple[str, ...]:
    """Lists what is not running and carries the label of any instance: that, and the name."""
    states = ("--filter=status=created", "--filter=status=exited", "--filter=status=dead")
    shown = f'--format={{{{.Label "{LABEL}"}}}} {{{{.Names}}}}'
    return ("docker", "ps", "--all", "--no-trunc", f"--filter=label={LABEL}", *states, shown)


def image_identity(image: str) -> tuple[str, ...]:
    """Prints what a local image is: its id, then its digest in each repository that it came from or went to."""
    return ("docker", "image", "inspect", "--format={{.Id}}{{range .RepoDigests}} {{.}}{{end}}", image)


def engine_version() -> tuple[str, ...]:
    """Prints the engine's version: the engine itself has to answer."""
    return ("docker", "version", "--format={{.Server.Version}}")


def engine_endpoint() -> tuple[str, ...]:
    """Prints where docker's client finds the engine: by DOCKER_HOST, or by the context that the user has chosen."""
    return ("docker", "context", "inspect", "--format={{.Endpoints.docker.Host}}")


def engine_info() -> tuple[str, ...]:
    """Prints what the engine can do, and the versions of its parts."""
    return ("docker", "info", "--format={{json .}}")


def image_environment(image: str) -> tuple[str, ...]:
    """Prints the variables that an image brings."""
    return ("docker", "image", "inspect", "--format={{json .Config.Env}}", image)


def inspect(name: str) -> tuple[str, ...]:
    """Prints everything the engine knows of a container."""
    return ("docker", "inspect", "--type=container", "--format={{json .}}", name)
