"""An interpreter that was started ahead does what a plain one does, byte for byte, whatever the source looks like."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.harness import ROOT, Server, serving

pytestmark = pytest.mark.languages

HELPERS: Final = {
    "javascript": {"helper.js": "module.exports = __filename;\nconsole.log(module.parent.filename);\n"},
    "ruby": {"helper.rb": "HELPER = __FILE__\np caller\n"},
    "php": {"helper.php": "<?php return [__FILE__, get_included_files()];"},
    "perl": {"Helper.pm": "package Helper; print join(' ', __FILE__, caller), qq{\\n}; 1;\n"},
    "lua": {"helper.lua": "print(..., debug.traceback())\nreturn 42\n"},
    "bash": {"helper.sh": 'echo "helper $# $LINENO ${FUNCNAME[*]}"\nreturn 3\n'},
}
SOURCES: Final[dict[str, list[str]]] = json.loads(
    (ROOT / "tests/images/programs/ahead.json").read_text(encoding="utf-8").replace("LONG", "x" * 60_000)
)
"""Programs that look at themselves, and all that an interpreter might take another way from a pipe."""
PATIENCE: Final = ("wall-time    = 2.0", "wall-time    = 10.0")
"""It is not about time."""
CASES: Final = [
    pytest.param(language, codes[number], id=f"{language}-{number}")
    for number in range(max(map(len, SOURCES.values())))
    for language, codes in SOURCES.items()
    if number < len(codes)
]
"""One language after the other, so that each has its next interpreter up when it comes to it again."""


@pytest.fixture(scope="module")
def server(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that has each language twice: as it is, and with nothing started ahead."""
    plain = tmp_path_factory.mktemp("plain")
    for language in SOURCES:
        text = (ROOT / "policies" / f"{language}.toml").read_text()
        line = next(line for line in text.splitlines() if line.startswith("ahead-unless"))
        (plain / f"{language}-plain.toml").write_text(text.replace(line, 'ahead-unless = ""'))
    edit = {f"{language}{kind}.toml": PATIENCE for language in SOURCES for kind in ("", "-plain")}
    with serving(tmp_path_factory.mktemp("server"), warm=1, languages=[*SOURCES], more=plain, edit=edit) as running:
        yield running


def ended(server: Server, language: str, code: str, files: dict[str, str]) -> dict[str, Any]:
    """All that can be seen of a run."""
    answer = server.post({"language": language, "code": code, "input": "some input\n", "files": files})
    assert answer.status_code == 200, answer.text
    report = answer.json()
    report["stderr"] = re.sub(r"(?<=\(node:)\d+", "", report["stderr"])  # a number of its own
    return {key: report[key] for key in ("reason", "exit_code", "signal", "stdout", "stderr", "files")}


@pytest.mark.parametrize(("language", "code"), CASES)
def test_started_ahead_or_not(server: Server, language: str, code: str) -> None:
    """The same output, errors and ending."""
    files = HELPERS[language]
    assert ended(server, language, code, files) == ended(server, f"{language}-plain", code, files)


MODULE: Final = (
    "import './helper.js';\nconsole.log(import.meta.filename, typeof require);\nawait 1;\nthrow new Error('x')\n"
)


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": '{"type": "module"}', "helper.js": "console.log(import.meta.url)"},
        {"package.json": '{"type": "commonjs"}', "helper.js": ""},
        {"package.json": "{", "helper.js": ""},
        {
            "package.json": '{"name": "own", "exports": "./helper.js"}',
            "helper.js": "",
        },
        {"node_modules/own/package.json": '{"type": "module"}', "node_modules/own/index.js": "", "helper.js": ""},
    ],
)
@pytest.mark.parametrize("code", [MODULE, "require('./helper'); console.log(this, require.main.filename)"])
def test_node_and_its_package(server: Server, code: str, files: dict[str, str]) -> None:
    """What lies beside a program says how Node takes it."""
    assert ended(server, "javascript", code, files) == ended(server, "javascript-plain", code, files)


def test_every_language_that_is_started_ahead_is_tried() -> None:
    """Python's own cases are in tests/sandbox and tests/runs."""
    ahead = {
        path.stem
        for path in (ROOT / "policies").glob("*.toml")
        if path.stem != "server" and tomllib.loads(path.read_text())["ahead-unless"]
    }
    assert ahead == {*SOURCES, "python", "python-data"}
