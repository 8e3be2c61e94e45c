"""The house: which module may know which, and tables that lack nothing."""

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from runner import errors, flags
from runner.errors import PolicyError, Refusal
from runner.flags import FLAGS
from runner.rules import Flag, Kind, Verdict
from runner.web.problems import PROBLEMS

PURE: Final = (
    *(
        "errors",
        "rules",
        "seccomp",
        "flags",
        "toml",
        "policy",
        "settings",
        "protocol",
        "result",
        "report",
        "argv",
        "lock",
        "chain",
        "summary",
        "record",
        "explain",
        "request",
        "plan",
        "events",
        "proof.seen",
        "proof.observers",
        "proof.quotas",
        "proof.boundaries",
        "proof.inspected",
        "proof.proofs",
        "proof.evidence",
        "demand",
        "openapi",
    ),
)
"""The core: no clock, no file, no await."""
DRAWN: Final = "uids"
"""Pure but for its first number, which is drawn at random."""
OUTSIDE: Final = {
    *("asyncio", "contextlib", "datetime", "io", "logging", "os", "pathlib", "queue", "random", "secrets", "select"),
    *("shutil", "socket", "subprocess", "sys", "tempfile", "threading", "time", "uvicorn", "starlette", "anyio"),
}
"""Modules that touch the world."""
MODULES: Final = {
    ".".join(path.relative_to("runner").with_suffix("").parts): path
    for path in Path("runner").rglob("*.py")
    if path.stem != "__init__"
}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it; ``runner.x`` for those of this project."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            package = (Path(*(node.module or "").split(".")) / "__init__.py").exists()
            yield from ([f"{node.module}.{a.name}" for a in node.names] if package else [node.module or ""])


def test_every_import_is_seen(tmp_path: Path) -> None:
    """The walk itself: all forms of import, also inside a function."""
    (tmp_path / "x.py").write_text(
        "import os.path, re\nfrom runner import toml, argv\nfrom runner.flags import FLAGS\n"
        "def f():\n    from time import sleep\n",
        encoding="utf-8",
    )
    assert sorted(imports(tmp_path / "x.py")) == ["os.path", "re", "runner.argv", "runner.flags", "runner.toml", "time"]


@pytest.mark.parametrize("name", PURE)
def test_the_core_touches_nothing(name: str) -> None:
    """A module of the core imports no I/O, no clock and no asyncio."""
    found = {module.partition(".")[0] for module in imports(MODULES[name])}
    assert found & OUTSIDE == set()


@pytest.mark.parametrize("name", [*PURE, DRAWN])
def test_the_core_knows_only_the_core(name: str) -> None:
    """Arrows point one way: from the edge to the shell to the core."""
    found = {module.removeprefix("runner.") for module in imports(MODULES[name]) if module.startswith("runner.")}
    assert found - {*PURE, DRAWN} == set()


def test_the_uids_touch_nothing_but_chance() -> None:
    """Where the block begins is drawn; the rest is counting."""
    assert {module.partition(".")[0] for module in imports(MODULES[DRAWN])} & OUTSIDE == {"secrets"}


def test_errors_knows_nobody() -> None:
    """Whoever refuses needs to know nobody."""
    assert list(imports(MODULES["errors"])) == ["dataclasses"]


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_module_knows_the_edge(name: str) -> None:
    """server.py imports runner.web, and that alone knows Starlette and uvicorn; nobody else imports either."""
    found = set(imports(MODULES[name]))
    known = {module.partition(".")[0] for module in found} & {"server", "starlette", "uvicorn"}
    if name.startswith("web."):
        assert "server" not in known
    else:
        assert known == set()
        assert not [module for module in found if module.startswith("runner.web")]


def test_imports_have_no_cycle() -> None:
    """There is an order in which every module is understood after those that it uses."""
    needs = {
        name: {module.removeprefix("runner.") for module in imports(path) if module.startswith("runner.")}
        for name, path in MODULES.items()
    }
    while ready := [name for name, others in needs.items() if not others & needs.keys()]:
        for name in ready:
            del needs[name]
    assert needs == {}


# Errors


def leaves(kind: type[Refusal]) -> set[type[Refusal]]:
    """The classes below that have none below them."""
    below = kind.__subclasses__()
    return {kind} if not below else set().union(*(leaves(each) for each in below))


def test_every_refusal_has_its_problem() -> None:
    """Each class that can be raised has a row of status and title, and no row is without its class."""
    assert set(PROBLEMS) == leaves(Refusal)


def test_every_problem_has_its_own_words() -> None:
    """A title stands for one kind of problem, a status is the service's own."""
    assert len({title for _, title in PROBLEMS.values()}) == len(PROBLEMS)
    assert all(400 <= status <= 599 for status, _ in PROBLEMS.values())


def test_only_leaves_are_raised() -> None:
    """A refusal without a row would end as an internal error."""
    inner = {kind.__name__ for kind in vars(errors).values() if inspect.isclass(kind)}
    inner -= {kind.__name__ for kind in leaves(Refusal)} | {PolicyError.__name__}
    raised = {
        node.exc.func.id
        for path in [*MODULES.values(), Path("server.py")]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name)
    }
    assert "BadRequest" in raised  # the walk finds something
    assert raised & inner == set()


def test_every_refusal_is_raised_somewhere() -> None:
    """No class is left over."""
    text = "".join(path.read_text(encoding="utf-8") for path in MODULES.values() if path.stem != "errors")
    assert {kind.__name__ for kind in leaves(Refusal) if f"{kind.__name__}(" not in text} == set()


# Flags


def test_no_flag_has_two_rows() -> None:
    """A second row would silently win."""
    assert [flag.name for flag in flags._ROWS] == list(FLAGS)


@pytest.mark.parametrize("flag", FLAGS.values(), ids=lambda flag: flag.name)
def test_a_row_is_whole(flag: Flag) -> None:
    """A long name, a reason, and for a required flag the line that keeps its own rule."""
    assert flag.name.startswith("--")
    assert flag.name == flag.name.lower()
    assert flag.why
    assert (flag.example != "") is (flag.verdict is Verdict.REQUIRED)
    if flag.example:
        name, equals, value = flag.example.partition("=")
        assert (name, equals == "", flag.rule(value)) == (flag.name, flag.kind is Kind.SWITCH, None)


@pytest.mark.parametrize("path", [*sorted(MODULES.values()), Path("server.py")], ids=lambda path: path.stem)
def test_a_docker_command_is_written_in_argv_alone(path: Path) -> None:
    """Whoever audits the commands reads one file."""
    words = {
        node.elts[0].value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Tuple | ast.List) and node.elts and isinstance(node.elts[0], ast.Constant)
    }
    assert ("docker" in words) is (path.stem == "argv")


def test_the_lists_name_what_there_is() -> None:
    """A misspelt module in the lists above would prove nothing."""
    assert {*PURE, DRAWN} - MODULES.keys() == set()
    assert OUTSIDE - sys.stdlib_module_names == {"uvicorn", "starlette", "anyio"}
