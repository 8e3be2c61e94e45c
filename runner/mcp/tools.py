"""The tools as a model reads them: what they are for, what they take, what is allowed. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from runner.mcp.words import limits, seconds, size
from runner.policy.policy import Policy

RUN: Final = "run_program"
LIST: Final = "list_languages"
TITLE: Final = "Code runner"
INSTRUCTIONS: Final = (
    f"`{RUN}` runs a whole program in a container of its own, which is used once and thrown away: nothing is kept from "
    "call to call, and there is no network. Print what you want to see. Files that the program leaves in its folder "
    "for results come back, pictures as pictures."
)
_HINTS: Final = {"readOnlyHint": True, "destructiveHint": False, "openWorldHint": False}
"""A run changes nothing outside its own container, and reaches nothing."""


def tools(policies: Mapping[str, Policy]) -> list[dict[str, Any]]:
    """Both of them, as ``tools/list`` tells them."""
    return [
        {
            "name": RUN,
            "title": "Run a program",
            "description": _description(policies),
            "inputSchema": _schema(policies),
            "annotations": _HINTS | {"title": "Run a program"},
        },
        {
            "name": LIST,
            "title": "List languages",
            "description": "The languages that can be run here, each with all of its limits.",
            "inputSchema": {"type": "object", "properties": {}, "additionalProperties": False},
            "annotations": _HINTS | {"title": "List languages", "idempotentHint": True},
        },
    ]


def _description(policies: Mapping[str, Policy]) -> str:
    served = "; ".join(f"{name}: {_bounds(each)}" for name, each in policies.items())
    return (
        "Runs a whole program and tells how it ended, what it wrote to stdout and stderr, and the files that it left "
        "in its folder for results, which is there when it begins: pictures (PNG, JPEG, GIF, WebP) come back so. "
        "No network, nothing is kept between calls, only the standard library unless the language says more. "
        f"Languages: {served}."
    )


def _bounds(policy: Policy) -> str:
    told = limits(policy)
    folder = f", results in `{policy.results}`" if policy.limits.result_files else ""
    return f"{policy.title}, {told['wall']} and {told['memory']}{folder}"


def _schema(policies: Mapping[str, Policy]) -> dict[str, Any]:
    content = {
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {"base64": {"type": "string"}},
                "required": ["base64"],
                "additionalProperties": False,
            },
        ]
    }
    properties = {
        "language": {"type": "string", "enum": list(policies), "description": "What the program is written in."},
        "code": {"type": "string", "description": "The whole program, one file."},
        "input": {"type": "string", "description": "What it reads from stdin. Nothing can be typed later."},
        "args": {"type": "array", "items": {"type": "string"}, "description": "Its command-line arguments."},
        "files": {
            "type": "object",
            "additionalProperties": content,
            "description": "Files beside the program, by their relative paths such as `data/points.csv`: text, or "
            '`{"base64": "..."}` for bytes.',
        },
    }
    return {
        "type": "object",
        "properties": properties,
        "required": ["language", "code"],
        "additionalProperties": False,
    }


def listed(policies: Mapping[str, Policy]) -> str:
    """What ``list_languages`` says: a line for each, and its limits."""
    return "\n\n".join(_listed(each) for each in policies.values())


def _listed(policy: Policy) -> str:
    kept, told = policy.limits, limits(policy)
    lines = {
        "time of a run": told["wall"],
        "time to compile": seconds(kept.compile_time) if policy.compile else "",
        "memory": told["memory"],
        "processes and threads": told["pids"],
        "place to write": told["tmp"],
        "code": size(kept.source),
        "input": size(kept.input),
        "stdout and stderr, each": told["output"],
        "files": f"{kept.files} of {size(kept.file_bytes)} together",
        "args": size(kept.args),
        "results": told["results"] if kept.result_files else "none are sent back",
    }
    rest = (f"- {name}: {value}" for name, value in lines.items() if value)
    return "\n".join((f"{policy.name}: {policy.title}", *rest))
