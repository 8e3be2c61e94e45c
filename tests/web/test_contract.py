"""The service against its own OpenAPI document, with requests that schemathesis makes of it."""

import json
import subprocess
import sys
from pathlib import Path

from tests.harness import Server


def test_answers_are_as_described(server: Server, tmp_path: Path) -> None:
    """Status, type and schema of every answer to whatever is sent, and never a 500."""
    document = server.get("/openapi.json").json()
    del document["paths"]["/run"]["post"]["parameters"]  # of a header with a pattern it sends what does not fit
    described = tmp_path / "openapi.json"
    described.write_text(json.dumps(document))
    command = [
        *(str(Path(sys.executable).parent / "schemathesis"), "run", str(described), f"--url={server.url}"),
        *("--exclude-path=/run/live", "--max-examples=12", "--seed=1", "--generation-database=none"),
        *("--request-timeout=60", "--no-color"),
    ]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stdout
