"""The house: which module may know which, and tables that lack nothing."""

import ast
import configparser
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from runner import errors
from runner.errors import PolicyError, Refusal
from runner.policy import flags
from runner.policy.flags import FLAGS
from runner.policy.rules import Flag, Kind, Verdict
from runner.web.problems import PROBLEMS

ARROWS: Final[Mapping[str, set[str]]] = {
    "policy": set(),
    "record": {"policy"},
    "sandbox": {"policy"},
    "proof": {"policy", "sandbox"},
    "runs": {"host", "policy", "sandbox", "record"},
    "apis": {"policy", "sandbox", "runs"},
    "mcp": {"policy", "sandbox", "runs"},
    "judge": set(),
    "host": {"policy", "sandbox", "record"},
    "web": {"policy", "sandbox", "record", "proof", "runs", "apis", "mcp"},
    "commands": {"host", "policy", "sandbox", "record", "proof", "runs", "mcp", "judge"},
}
"""Which folder of runner/ may import from which others."""
COMMON: Final = {"errors", "logs"}
"""What lies at the top, for all of them."""
ALONE: Final = "client"
"""One file to take along: it knows nothing of the rest."""
DRAWN: Final = "sandbox.uids"
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


def covered() -> Iterator[str]:
    """The core is what setup.cfg wants covered in full."""
    setup = configparser.ConfigParser()
    setup.read("setup.cfg")
    for path in setup["coverage:run"]["include"].split():
        yield ".".join(Path(path).relative_to("runner").with_suffix("").parts)


PURE: Final = ("errors", *covered())
"""The core: no clock, no file, no await."""


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
        "import os.path, re\nfrom runner.policy import toml, argv\nfrom runner.policy.flags import FLAGS\n"
        "def f():\n    from time import sleep\n",
        encoding="utf-8",
    )
    assert sorted(imports(tmp_path / "x.py")) == [
        *("os.path", "re", "runner.policy.argv", "runner.policy.flags", "runner.policy.toml", "time"),
    ]


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
def test_arrows_between_folders_point_one_way(name: str) -> None:
    """A module imports from its own folder, from the folders that it may know, and what is common to all."""
    folder = name.partition(".")[0]
    found = {module.split(".")[1] for module in imports(MODULES[name]) if module.startswith("runner.")}
    if folder in ARROWS:
        assert found <= {folder} | ARROWS[folder] | COMMON | ({ALONE} if folder == "commands" else set())
    elif name == ALONE:
        assert found == set()
    else:
        assert name in COMMON | {"__main__"}
        assert found <= (COMMON | ARROWS.keys() - {"web"} if name == "__main__" else COMMON)


def test_folders_have_no_cycle() -> None:
    """There is an order in which every folder is understood after those that it imports from."""
    left = dict(ARROWS)
    while ready := [name for name, others in left.items() if not others & left.keys()]:
        for name in ready:
            del left[name]
    assert left == {}


def test_a_folder_says_what_lives_there() -> None:
    """And what may be imported from where: its docstring names the folders of the table."""
    folders = {path.name: path for path in Path("runner").iterdir() if (path / "__init__.py").exists()}
    assert folders.keys() == ARROWS.keys()
    for name, path in folders.items():
        said = (ast.get_docstring(ast.parse((path / "__init__.py").read_text(encoding="utf-8"))) or "").split("\n\n")
        assert len(said) == 2, name
        allowed, users = said[1].split(";")
        assert set(re.findall(r"\w+", allowed)) & ARROWS.keys() == ARROWS[name], name
        using = {other for other, known in ARROWS.items() if name in known}
        assert set(re.findall(r"\w+", users)) & ARROWS.keys() == (set() if "all others" in users else using), name


@pytest.mark.parametrize("name", sorted(MODULES))
def test_private_names_stay_in_their_folder(name: str) -> None:
    """What begins with an underscore is nobody else's: neither imported nor asked of a module of another folder."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    folder = name.partition(".")[0]
    foreign = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and re.match(rf"runner\b(?!\.{folder}\b)", node.module or "")
    ]
    names = {alias.asname or alias.name for node in foreign for alias in node.names}
    assert not [alias for alias in names if alias.startswith("_")]
    reached = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names
    ]
    assert not [attribute for attribute in reached if attribute.startswith("_")]


@pytest.mark.parametrize("name", sorted(MODULES))
def test_only_the_edge_knows_http(name: str) -> None:
    """Starlette and uvicorn are for server.py and runner/web; nobody imports server.py."""
    known = {module.partition(".")[0] for module in imports(MODULES[name])} & {"server", "starlette", "uvicorn"}
    assert known <= ({"starlette", "uvicorn"} if name.startswith("web.") else set())


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
