"""What the tests share: one real server, and an engine without which they fail."""

import subprocess
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from server import OTHERS
from tests.harness import LANGUAGES, Server, serving

settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


LONG: Final = (
    *("test_attacks", "test_engine_faults", "test_terminal", "test_terminal_cpp", "test_programs", "test_live"),
    *("test_audit", "test_access", "test_hostile_clients", "test_lifecycle", "test_protocol", "test_runs"),
    *("test_policy", "test_verify", "test_gvisor", "test_killed_server", "test_load", "test_redis", "test_http"),
    *("test_client", "test_judge", "test_mcp", "test_cluster", "test_registry"),
)
"""The files that take longest come first, so that no process is left with one of them when the others have ended."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For --dist=loadfile with --no-loadscope-reorder, which hands the files out in this order."""
    place = {name: index for index, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONG)))


@pytest.fixture(scope="session")
def engine() -> None:
    """Fails, and does not skip, where no engine answers."""
    command = ["docker", "version", "--format={{.Server.Version}}"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert answer.returncode == 0, f"no Docker engine answers; `make engine` starts one: {answer.stderr}"


@pytest.fixture(scope="session")
def server(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that most tests talk to; it speaks every API."""
    with serving(tmp_path_factory.mktemp("server"), warm=2, languages=LANGUAGES, apis=[*OTHERS]) as running:
        yield running
