"""Whatever a program did, a model gets what the protocol has for it."""

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any, Final

import mcp_types as types
import pytest
from hypothesis import given

from runner.mcp import results, tools
from runner.runs.report import as_json
from runner.runs.result import Result
from runner.sandbox.job import File, Observed, Output
from tests.runs.test_result import COMPILED, CPP, PYTHON, RUN
from tests.runs.test_result import result as decided
from tests.runs.test_result import results as anything
from tests.strategies import unhurried

PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(8)
POLICIES: Final = {"cpp": CPP, "python": PYTHON}


def told(observed: Observed) -> dict[str, Any]:
    """What is told of a Python program."""
    return results.run(as_json(decided(PYTHON, observed, ())), PYTHON)


def texts(found: dict[str, Any]) -> list[str]:
    """Its blocks of text."""
    return [block["text"] for block in found["content"] if block["type"] == "text"]


@unhurried
@given(anything)
def test_every_ending_is_a_result_and_no_error(result: Result) -> None:
    """As the SDK reads it; all that was written is in it."""
    report = as_json(result)
    found = results.run(report, result.policy)
    types.CallToolResult.model_validate(found)
    json.dumps(found)
    assert not found["isError"]
    assert found["content"][0]["text"].endswith(".")
    for stream in ("stdout", "stderr", "compile_output"):
        assert not report[stream] or any(said.endswith(f":\n{report[stream]}") for said in texts(found))


def test_output_by_its_name() -> None:
    """And what is to be known of it before."""
    observed = replace(RUN, stdout=Output(b"6\n", 0), stderr=Output(b"warned\n", 5))
    assert texts(told(observed)) == [
        "Wrote more than 64 KB and was stopped. It ran for 20 ms. Only the beginning of stderr was kept.",
        "stdout:\n6\n",
        "stderr:\nwarned\n",
    ]
    assert texts(told(RUN)) == ["Finished. It ran for 20 ms. It printed nothing."]


def test_a_compilers_words_are_called_so() -> None:
    """Where it refuses, and where it only warns."""
    words = replace(COMPILED, stderr=Output(b"main.cpp:1: no\n", 0))
    assert COMPILED.ending is not None
    failed = decided(CPP, replace(words, ending=replace(COMPILED.ending, exit_code=1)), ())
    assert texts(results.run(as_json(failed), CPP)) == [
        "It does not compile: the compiler says why.",
        "compiler:\nmain.cpp:1: no\n",
    ]
    assert "compiler:\nmain.cpp:1: no\n" in texts(results.run(as_json(decided(CPP, words, (RUN,))), CPP))


def test_files_are_pictures_text_or_bytes() -> None:
    """A picture is what begins like one: the name alone is nothing. Its bytes are told once."""
    left = (
        File("plot.png", PNG),
        File("false.png", b"\xff\x00"),
        File("text.png", b"no picture"),
        File("a b/sum.csv", b"6\n"),
    )
    found = told(replace(RUN, results=left))
    data = b64encode(PNG).decode()
    assert found["content"][1:] == [
        {"type": "image", "data": data, "mimeType": "image/png"},
        {
            "type": "resource",
            "resource": {"uri": "code-runner://job-1/results/false.png", "mimeType": "image/png", "blob": "/wA="},
        },
        {"type": "text", "text": "results/text.png:\nno picture"},
        {"type": "text", "text": "results/a b/sum.csv:\n6\n"},
    ]
    assert "It left in results: 'plot.png' (16 bytes), 'false.png' (2 bytes)," in texts(found)[0]
    assert data not in json.dumps(found["_meta"])
    assert found["_meta"][results.META]["files"][0] == {"name": "plot.png", "size": 16, "type": "image/png"}
    assert "structuredContent" not in found


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"", None),
    ],
)
def test_pictures_by_their_first_bytes(data: bytes, kind: str | None) -> None:
    """Those that models are shown."""
    assert results.picture(data) == kind


def test_a_refusal_is_an_error_in_words() -> None:
    """And nothing else."""
    assert results.refusal("Wait.") == {"content": [{"type": "text", "text": "Wait."}], "isError": True}


def test_the_tools_are_the_protocols() -> None:
    """As the SDK reads them; the languages stand where a model looks."""
    found = types.ListToolsResult.model_validate({"tools": tools.tools(POLICIES)})
    run, listed = found.tools
    assert (run.name, listed.name) == (tools.RUN, tools.LIST)
    assert run.input_schema["properties"]["language"]["enum"] == ["cpp", "python"]
    assert "python: Python 3.13, 2 s and 256 MB, results in `results`." in (run.description or "")


def test_the_languages_are_told_with_their_limits() -> None:
    """Those that there are: nothing of a compiler where none is."""
    cpp, python = tools.listed(POLICIES).split("\n\n")
    assert "- time to compile: 10 s" in cpp
    assert "compile" not in python
    assert "- results: 16 files of 1 MB together" in python
    none = replace(PYTHON, limits=replace(PYTHON.limits, result_files=0))
    assert "- results: none are sent back" in tools.listed({"python": none})
    assert tools.tools({"python": none})[0]["description"].endswith("2 s and 256 MB.")
