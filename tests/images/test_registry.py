"""Images from a registry: the base from a mirror, policies that name a digest, a tag that is moved behind our back."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.commands.test_cli import runner
from tests.harness import ROOT, Server, docker, eventually, fake_docker, free_port, serving
from tests.web.test_proxies import running

pytestmark = pytest.mark.usefixtures("engine")
IMAGE = "code-runner-bash"
DOCKERFILE = """\
ARG BASE
FROM $BASE
COPY launch sources /usr/lib/runner/
RUN install -m 0111 /usr/bin/perl /usr/lib/runner/perl
"""
"""What every image here has; Debian's base brings bash and perl itself, so nothing is downloaded."""


@dataclass(frozen=True)
class Registry:
    """One of the tests' own on loopback, which docker trusts without TLS."""

    port: int

    @property
    def debian(self) -> str:
        """The image that a mirror would have."""
        return f"{self.name('debian')}:trixie-slim"

    def name(self, repository: str) -> str:
        """A repository there."""
        return f"127.0.0.1:{self.port}/{repository}"

    @property
    def suite(self) -> str:
        """For a base beside the one that all images are made of."""
        return f"registry-{self.port}"

    @property
    def base(self) -> str:
        """That base."""
        return f"code-runner-base:{self.suite}"

    def push(self, image: str) -> str:
        """To where its name says; its digest there."""
        docker("push", "--quiet", image)
        found = docker("image", "inspect", "--format={{range .RepoDigests}}{{println .}}{{end}}", image).split()
        return next(each for each in found if each.startswith(image.rpartition(":")[0]))

    def build(self, *labels: str) -> str:
        """An image of the base that is there, pushed; its digest."""
        tag = f"{self.name(IMAGE)}:3"
        options = ("--network=none", f"--tag={tag}", f"--build-arg=BASE={self.base}", *labels, "--file=-")
        words = ["docker", "build", *options, "images"]
        subprocess.run(words, cwd=ROOT, input=DOCKERFILE, text=True, check=True, capture_output=True, timeout=120)
        return self.push(tag)

    def pull_base(self, image: str) -> tuple[int, str]:
        """Runs images/base with this BASE_IMAGE."""
        return make_base(self.suite, {"BASE_IMAGE": image})


def make_base(suite: str, environment: dict[str, str]) -> tuple[int, str]:
    """Runs images/base; its exit code and words."""
    own, command = {**os.environ, **environment}, ["sh", "images/base", suite]
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stderr


def remove(*images: str) -> None:
    """Their names, whether they are there or not."""
    subprocess.run(["docker", "rmi", "--force", *images], capture_output=True, check=False, timeout=60)


@pytest.fixture(scope="module")
def registry(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """It has `debian:trixie-slim`, made by our hands; nothing of it is left on this machine but that base."""
    folder, found = tmp_path_factory.mktemp("registry"), Registry(free_port())
    settings = {
        "version": "0.1",
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": f"127.0.0.1:{found.port}"},
    }
    (folder / "config.yml").write_text(json.dumps(settings))
    with running(["docker-registry", "serve", str(folder / "config.yml")], found.port, folder):
        try:
            docker("tag", "code-runner-base:trixie", found.debian)
            found.push(found.debian)
            remove(found.debian)
            yield found
        finally:
            known = docker("images", "--digests", "--format={{.Repository}}@{{.Digest}}").split()
            names = [each for each in known if each.startswith(found.name(IMAGE))]
            remove(found.debian, found.base, f"{found.name(IMAGE)}:3", *names)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def base(registry: Registry) -> tuple[int, str]:
    """What images/base says when the base comes from there for the first time."""
    return registry.pull_base(registry.debian)


def identity(image: str) -> str:
    """The id of a local image."""
    return docker("image", "inspect", "--format={{.Id}}", image).strip()


def test_the_base_comes_from_the_registry_that_is_named(registry: Registry, base: tuple[int, str]) -> None:
    """Byte for byte; once it is there nobody is asked, and what is not there is no reason to make another."""
    said = f"base: asking the registry for {registry.debian} ...\nbase: {registry.base} is {registry.debian}, "
    assert base == (0, f"{said}{identity('code-runner-base:trixie')}\n")
    assert identity(registry.base) == identity("code-runner-base:trixie")
    assert registry.pull_base(registry.debian) == (0, "")
    code, said = registry.pull_base(f"{registry.debian}-none")
    assert (code, "manifest unknown" in said) == (1, True)
    assert identity(registry.base) == identity("code-runner-base:trixie")


BARE: Final = """\
case $1 in
    import) tar --list | grep --quiet '^./made$' ;; # what debootstrap has made, from the standard input
    *) exit 1 ;;
esac
"""
"""An engine without images, that reaches no registry."""


def test_the_base_is_made_where_no_registry_answers(tmp_path: Path) -> None:
    """Of Debian's packages; not really here, for that takes a minute."""
    environment = fake_docker(tmp_path, BARE)
    debootstrap = tmp_path / "bin" / "debootstrap"
    debootstrap.write_text('#!/bin/sh\nmkdir "$3" && touch "$3/made"\n')
    debootstrap.chmod(0o755)
    code, said = make_base("trixie", environment)
    assert (code, said.splitlines()[-1]) == (0, "base: code-runner-base:trixie is made")


@dataclass(frozen=True)
class Served:
    """A server of two policies with one image: one by its digest, the other by its tag."""

    server: Server
    digest: str
    policies: tuple[str, str]


@pytest.fixture(scope="module")
def served(registry: Registry, base: tuple[int, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The image is pulled by its digest, as another machine would; then the lock is written, and it is served."""
    folder, more = tmp_path_factory.mktemp("served"), tmp_path_factory.mktemp("more")
    digest, tag = registry.build(), f"{registry.name(IMAGE)}:3"
    remove(tag, digest)
    docker("pull", "--quiet", digest)
    docker("pull", "--quiet", tag)
    text = (ROOT / "policies" / "bash.toml").read_text()
    (more / "moved.toml").write_text(text.replace(f"{IMAGE}:3", tag))
    with serving(folder, edit={"bash.toml": (f"{IMAGE}:3", digest)}, languages=("bash",), more=more) as server:
        words = ("--policies", str(folder / "policies"))
        assert runner(*words, "lock")[0] == 0
        yield Served(server, digest, words)


def test_a_policy_names_an_image_by_its_digest(served: Served) -> None:
    """What runs is what the command says; the lock and the server say that digest."""
    answer = served.server.run("bash", "echo $((6 * 7))")
    assert (answer["stdout"], served.digest in answer["command"]) == ("42\n", True)
    lock = json.loads(Path(served.policies[1], "lock.json").read_text())
    assert [lock[name]["image"] for name in ("bash", "moved")] == [served.digest] * 2
    assert runner(*served.policies, "diff") == (0, "nothing differs from the lock\n", "")


def images(server: Server) -> dict[str, str]:
    """What the server says they are."""
    return {each["language"]: each["image_id"] for each in server.get("/policies").json()["policies"]}


def test_a_tag_that_is_moved_is_told(registry: Registry, served: Served) -> None:
    """By the lock, the log and the audit file; the policy with a digest runs what was reviewed, as before."""
    assert eventually(lambda: images(served.server) == {"bash": served.digest, "moved": served.digest})
    other = registry.build("--label=moved=1")
    assert other != served.digest
    said = f"moved: image: locked {served.digest}, now {other}\n"
    assert runner(*served.policies, "diff") == (1, said, "")
    log, server = f"the image of moved is another now: it was {served.digest}, and is {other}", served.server
    assert eventually(lambda: server.get("/ready").status_code > 0 and log in server.log.read_text())
    assert images(server) == {"bash": served.digest, "moved": other}
    assert '"event":"images"' in (server.log.parent / "audit.jsonl").read_text().replace('": "', '":"')
    assert "the image of bash" not in server.log.read_text()
    assert server.run("bash", "echo still")["stdout"] == "still\n"
