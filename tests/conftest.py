"""What the tests share: one real server, and an engine without which they fail."""

import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.harness import Server, serving

settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


@pytest.fixture(scope="session")
def engine() -> None:
    """Fails, and does not skip, where no engine answers."""
    command = ["docker", "version", "--format={{.Server.Version}}"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert answer.returncode == 0, f"no Docker engine answers; `make engine` starts one: {answer.stderr}"


@pytest.fixture(scope="session")
def server(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that most tests talk to."""
    with serving(tmp_path_factory.mktemp("server"), warm=2) as running:
        yield running
