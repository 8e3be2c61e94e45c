"""What may lie beside a program: names, numbers, sizes; whatever breaks a rule is refused in words that say which."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import BadRequest, Refusal, TooLarge
from runner.policy import configuration
from runner.policy.policy import Policy
from runner.runs import request
from runner.runs.files import check_files
from runner.sandbox.job import File, Job

POLICIES = configuration.load().policies
PYTHON = POLICIES["python"]
part = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1, max_size=8)
good = st.lists(part.filter(lambda name: name not in (".", "..", "main.py", "results")), min_size=1, max_size=3)


def asked(**fields: Any) -> Job:
    """The job of a body with these fields."""
    return request.parse(json.dumps({"language": "python", "code": "", **fields}).encode(), POLICIES)


def refused(kind: type[Refusal], **fields: Any) -> str:
    """What is said of a body with these fields."""
    with pytest.raises(kind) as caught:
        asked(**fields)
    return str(caught.value)


@given(st.lists(good.map("/".join), max_size=5))
def test_a_good_name_is_taken_or_clashes(names: list[str]) -> None:
    """Every relative path without an odd part, unless another file is a folder of it."""
    files = {name: name for name in names}
    clash = any(other.startswith(f"{name}/") for name in files for other in files)
    if clash:
        assert "is a folder, too" in refused(BadRequest, files=files)
    else:
        assert asked(files=files).files == tuple(File(name, name.encode()) for name in files)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_name_is_taken_as_it_is_or_refused(name: str) -> None:
    """Nothing is trimmed, folded or decoded."""
    try:
        assert asked(files={name: ""}).files == (File(name, b""),)
    except Refusal:
        parts = name.split("/")
        odd = any(ord(c) < 32 or 127 <= ord(c) < 160 for c in name) or {"", ".", ".."} & {*parts}
        assert odd or parts[0] in ("main.py", "results") or len(name.encode()) > 255


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "is empty"),
        ("/etc/passwd", "begins or ends with `/`, or has two of them"),
        ("a//b", "begins or ends with `/`, or has two of them"),
        ("a/", "begins or ends with `/`, or has two of them"),
        ("../a", "has `.` or `..` as a part"),
        ("a/../../b", "has `.` or `..` as a part"),
        ("./a", "has `.` or `..` as a part"),
        ("a\0b", "has control characters"),
        ("a\nb", "has control characters"),
        ("\x01", "has control characters"),
        ("\x85", "has control characters"),
        ("é" * 128, "is longer than 255 bytes"),
        ("main.py", "is taken: the program itself is `main.py`"),
        ("main.py/x", "is taken: the program itself is `main.py`"),
        ("results", "is taken: the program itself is `main.py`"),
    ],
)
def test_a_bad_name_is_refused_in_words(name: str, said: str) -> None:
    """Before anything runs."""
    assert said in refused(BadRequest, files={name: ""})


def test_a_name_that_stands_twice_is_refused() -> None:
    """JSON allows it, and most readers keep the last."""
    body = b'{"language": "python", "code": "", "files": {"a": "1", "a": {"base64": ""}}}'
    with pytest.raises(BadRequest, match="'a' in `files` is there twice"):
        request.parse(body, POLICIES)
    with pytest.raises(BadRequest, match="'a' in `files` is there twice"):
        check_files([File("a", b""), File("a", b"")], PYTHON)


def test_contents_are_text_or_base64() -> None:
    """Byte exact."""
    assert asked(files={"a": "é", "b": {"base64": "AP8="}}).files == (File("a", "é".encode()), File("b", b"\0\xff"))
    assert "`files`: Invalid base64" in refused(BadRequest, files={"b": {"base64": "?"}})
    assert "`files`: Expected" in refused(BadRequest, files={"b": 1})
    assert "`files`: Expected" in refused(BadRequest, files=["b"])
    assert "`files`: Object contains unknown field" in refused(BadRequest, files={"b": {"base64": "", "x": 1}})


def test_input_may_be_bytes() -> None:
    """One of the three ways, not two."""
    assert asked(input_base64="AP8=").inputs == (b"\0\xff",)
    assert asked(inputs=["a", {"base64": "AP8="}]).inputs == (b"a", b"\0\xff")
    assert "more than one of" in refused(BadRequest, input="", input_base64="")
    assert "more than one of" in refused(BadRequest, inputs=[""], input_base64="")
    assert asked(encoding="base64").base64
    assert not asked(encoding="text").base64
    assert "Invalid enum value" in refused(BadRequest, encoding="utf-16")


def test_args_and_env_are_checked() -> None:
    """NUL ends an argument; names are the policy's; sizes count each with its end."""
    assert asked(args=["a b", "", "é"]).args == (b"a b", b"", "é".encode())
    assert "`args` has a NUL character" in refused(BadRequest, args=["a\0b"])
    assert "`env` sets 'LD_PRELOAD'; python allows none." in refused(BadRequest, env={"LD_PRELOAD": "x"})
    open_policy = replace(PYTHON, env=("DEBUG", "MODE"))
    job = Job("python", b"", (b"",), args=(b"x" * 10,), env=(("DEBUG", b"1"),))
    assert request.check(job, {"python": open_policy}) == job
    with pytest.raises(BadRequest, match="python allows DEBUG, MODE"):
        request.check(replace(job, env=(("debug", b"1"),)), {"python": open_policy})
    with pytest.raises(BadRequest, match="`env` has a NUL"):
        request.check(replace(job, env=(("DEBUG", b"\0"),)), {"python": open_policy})
    exact = replace(open_policy, limits=replace(PYTHON.limits, args=11 + 8))
    assert request.check(job, {"python": exact}) == job
    with pytest.raises(TooLarge, match="have 20 bytes"):
        request.check(replace(job, compile_args=(b"",)), {"python": exact})


def limited(**limits: int) -> dict[str, Policy]:
    """Python with other limits."""
    return {"python": replace(PYTHON, limits=replace(PYTHON.limits, **limits))}


def test_files_are_counted_and_sized() -> None:
    """The limit itself is allowed."""
    files = (File("a", b"12"), File("b", b"345"))
    job = Job("python", b"", (b"",), files=files)
    assert request.check(job, limited(files=2, file_bytes=5)) == job
    with pytest.raises(TooLarge, match="There are 2 `files`; python takes at most 1"):
        request.check(job, limited(files=1))
    with pytest.raises(TooLarge, match="have 5 bytes together; python takes at most 4"):
        request.check(job, limited(file_bytes=4))
