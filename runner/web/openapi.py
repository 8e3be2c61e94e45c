"""The API as an OpenAPI 3.1 document, made of the same tables that the service runs on. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final

from runner.policy.keys import Keys
from runner.policy.policy import Limits, Policy
from runner.proof.proofs import Finding
from runner.runs.report import REACHED
from runner.runs.result import STATUS, Reason, Status
from runner.web import idempotency

Schema = dict[str, Any]
Titles = Mapping[int, list[str]]

TEXT: Final[Schema] = {"type": "string"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
SECONDS: Final[Schema] = {"type": "number", "minimum": 0}
PLACE: Final[Schema] = {"type": "integer", "minimum": 1}
FLAG: Final[Schema] = {"type": "boolean"}
BYTES: Final[Schema] = {
    "type": "string",
    "contentEncoding": "base64",
    "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
}
WORD: Final[Schema] = {"type": "string", "pattern": r"^[^\x00]*$"}
"""What can be a program's argument."""
PATH: Final[Schema] = {
    "maxLength": 255,
    "pattern": r"^(?!\.\.?(/|$))[^/\x00-\x1f\x7f-\x9f]+(/(?!\.\.?(/|$))[^/\x00-\x1f\x7f-\x9f]+)*$",
}
"""What can be the name of a file, with its folders."""
TEXTS: Final[Schema] = {"type": "array", "items": TEXT}
SITE: Final[Titles] = {403: ["Forbidden site"]}
"""What is refused before anything is asked for."""


def document(policies: Mapping[str, Policy], problems: Iterable[tuple[int, str]], keys: Keys | None = None) -> Schema:
    """What a client can ask and what it hears. ``problems``: status and title of each refusal."""
    titles: dict[int, list[str]] = {}
    for status, title in [*problems, (500, "Internal error"), (503, "Not ready")]:
        titles.setdefault(status, []).append(title)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "code-runner",
            "version": "1",
            "summary": "Runs strangers' programs, each in a container of its own.",
        },
        "paths": _paths(titles, keys),
        "components": {"schemas": _schemas(policies, titles), **({"securitySchemes": _KEY} if keys else {})},
    }


_KEY: Final[Schema] = {"key": {"type": "http", "scheme": "bearer"}}


def _security(keys: Keys | None) -> Schema:
    """That a key may be sent, or must be."""
    return {"security": [{"key": []}, *([] if keys.required else [{}])]} if keys else {}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Mapping[str, Schema], *optional: str) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": False}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


# Paths


def _paths(titles: Titles, keys: Keys | None) -> Schema:
    return {
        "/run": {"post": {**_run(titles), **_security(keys)}},
        "/run/live": {"get": _live()},
        "/languages": {"get": _get("What can be run, within which limits.", "Languages")},
        "/policies": {"get": _get("The policies that are served, by digest.", "Policies")},
        "/policies/{language}": {
            "get": {
                **_get("One policy: the exact command, and the reason for each flag.", "Policy", titles, 422),
                "parameters": [{"name": "language", "in": "path", "required": True, "schema": _ref("Language")}],
            }
        },
        "/health": {"get": _get("The process is up.", "Health")},
        "/ready": {"get": _get("Programs can run, or why not.", "Ready", titles, 503)},
        "/metrics": {"get": _get("For Prometheus.", None, SITE, 403, media_type="text/plain")},
        "/openapi.json": {"get": _get("This document.", None)},
    }


def _get(
    summary: str, schema: str | None, titles: Titles | None = None, *refused: int, media_type: str = "application/json"
) -> Schema:
    content = {media_type: {"schema": _ref(schema) if schema else {}}}
    refusals = {str(status): _refusal(status, titles[status]) for status in refused} if titles else {}
    return {"summary": summary, "responses": {"200": {"description": "OK", "content": content}, **refusals}}


def _refusal(status: int, titles: list[str]) -> Schema:
    schema = {"allOf": [_ref("Problem"), {"properties": {"title": {"enum": titles}, "status": {"const": status}}}]}
    return {"description": ", or ".join(titles), "content": {"application/problem+json": {"schema": schema}}}


def _run(titles: Titles) -> Schema:
    said = {
        "application/json": {"schema": {"oneOf": [_ref("Report"), _ref("Reports")]}},
        "text/event-stream": {
            "schema": TEXT,
            "x-events": {name: _ref(schema) for name, schema in _EVENTS.items()},
        },
    }
    done = "The program has ended, in whatever way. As events, for `Accept: text/event-stream`: while it runs."
    refusals = {str(status): _refusal(status, [t for t in all_ if t != "Not ready"]) for status, all_ in titles.items()}
    return {
        "summary": "Runs a program, once, or once for each of several inputs.",
        "parameters": [_IDEMPOTENCY, _PREFER],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Job")}}},
        "responses": {"200": {"description": done, "content": said}, **refusals},
    }


_IDEMPOTENCY: Final[Schema] = {
    "name": idempotency.HEADER,
    "in": "header",
    "description": "Makes a retry safe: who comes again with the same key and body gets the answer of the first run.",
    "schema": {"type": "string", "pattern": idempotency.PATTERN},
}
_PREFER: Final[Schema] = {
    "name": "Prefer",
    "in": "header",
    "description": "`wait=SECONDS`: how long to wait for a container at most (RFC 7240).",
    "schema": TEXT,
}
_EVENTS: Final = {"phase": "Phase", "stdout": "Text", "stderr": "Text", "result": "Result", "problem": "Problem"}


def _live() -> Schema:
    return {
        "summary": "WebSocket: a program that asks questions. JSON text messages; the server closes after the last.",
        "x-client-messages": [_ref("First"), _ref("More")],
        "x-server-messages": _ref("Message"),
        "x-close-codes": {
            "1000": "after the result",
            "1008": "after a refusal",
            "1009": "a message was larger than `body`",
            "1011": "after an internal error",
            "1012": "the service is stopping",
            "1013": "after a refusal that a later try may not meet",
        },
        "responses": {
            "101": {"description": "The conversation begins."},
            "403": _refusal(403, SITE[403]),
            "503": _refusal(503, ["Busy"]),
        },
    }


# Schemas

_SECRET: Final[Schema] = {**TEXT, "description": "A key, where no header can be set; as in `Authorization`."}


def _schemas(policies: Mapping[str, Policy], titles: Titles) -> Schema:
    every = [title for status in titles.values() for title in status]
    return {
        **_asked(policies),
        **_heard(),
        "Status": {"enum": [status.value for status in Status]},
        "Reason": {"enum": [reason.value for reason in Reason], "description": _reasons()},
        **_reports(),
        "Problem": _object({"type": TEXT, "title": TEXT, "status": COUNT, "detail": TEXT})
        | {"description": f"RFC 9457. Titles: {', '.join(every)}."},
        **_described(),
    }


def _asked(policies: Mapping[str, Policy]) -> Schema:
    """What a client sends: a job, or the messages of a live run."""
    code = {"type": "string", "description": _sizes(policies, "source")}
    input_ = {"type": "string", "description": _sizes(policies, "input")}
    inputs = {
        **_list({"anyOf": [input_, _ref("Encoded")]}),
        "minItems": 1,
        "maxItems": max(policy.limits.inputs for policy in policies.values()),
        "description": _sizes(policies, "inputs"),
    }
    beside = _beside(policies)
    asked = {"language": _ref("Language"), "code": code, **beside}
    encoding = {
        "encoding": {"enum": ["text", "base64"], "description": "Of the output and of the files in the answer."}
    }
    given = ({"input": input_}, {"input_base64": BYTES}, {"inputs": inputs})
    cells = {"type": "integer", "minimum": 1, "maximum": 1000}
    size = {**_list(cells), "minItems": 2, "maxItems": 2, "description": "The terminal's columns and rows."}
    return {
        "Language": {"enum": sorted(policies)},
        "Encoded": _object({"base64": BYTES}),
        "Job": {"anyOf": [_object({**asked, **each, **encoding}, *beside, *each, *encoding) for each in given]},
        "First": _object({**asked, "input": input_, "size": size, "key": _SECRET}, *beside, "input", "size", "key"),
        "More": {"oneOf": [_object({"input": input_}), _object({"size": size}), _object({"end": {"const": True}})]},
    }


def _beside(policies: Mapping[str, Policy]) -> Schema:
    """What a program may have beside its code and its input."""
    files = {
        **_map({"anyOf": [TEXT, _ref("Encoded")]}),
        "propertyNames": PATH,
        "maxProperties": max(policy.limits.files for policy in policies.values()),
        "description": f"Names, with their folders, and contents. {_sizes(policies, 'files')}",
    }
    args = {**_list(WORD), "description": f"Together with `env`. {_sizes(policies, 'args')}"}
    variables = sorted({name for policy in policies.values() for name in policy.env})
    return {"files": files, "args": args, "env": _object(dict.fromkeys(variables, WORD), *variables)}


def _heard() -> Schema:
    """What a client hears while its program runs."""
    return {
        "Message": {"oneOf": [_message(name, schema) for name, schema in _EVENTS.items()]},
        "Phase": {
            "oneOf": [
                _object({"phase": {"enum": ["queued", "compile"]}}),
                _object({"phase": {"const": "queued"}, "place": PLACE, "forecast": _null(SECONDS)}),
                _object({"phase": {"const": "run"}, "run": {"type": "integer", "minimum": 1}}),
            ]
        },
        "Text": {"oneOf": [_object({"text": TEXT}), _ref("Encoded")]},
        "Result": {"oneOf": [_ref("Report"), _ref("Reports")]},
    }


def _sizes(policies: Mapping[str, Policy], limit: str) -> str:
    unit = {"inputs": "strings", "files": "files"}.get(limit, "bytes as UTF-8")
    each = ", ".join(f"{getattr(policy.limits, limit)} for {name}" for name, policy in sorted(policies.items()))
    return f"At most so many {unit}: {each}."


def _message(name: str, schema: str) -> Schema:
    return _object({"event": {"const": name}, "data": _ref(schema)})


def _reasons() -> str:
    of = {status: [reason for reason in Reason if STATUS[reason] is status] for status in Status}
    return "; ".join(f"{status}: {', '.join(reasons)}" for status, reasons in of.items())


def _reports() -> Schema:
    common = {"id": TEXT, "policy": TEXT, "command": TEXTS}
    ending = {"status": _ref("Status"), "reason": _ref("Reason")}
    queued = {"queued": SECONDS, "compile": _null(SECONDS)}
    spent = {"wall": _null(SECONDS), "cpu": _null(SECONDS)}
    run = {
        **ending,
        "reached": _list({"enum": list(REACHED)}),
        "stdout": TEXT,
        "stderr": TEXT,
        "truncated": _object({"stdout": FLAG, "stderr": FLAG}),
        "exit_code": _null(COUNT),
        "signal": _null(TEXT),
        "times": _object(spent),
        "peak_memory": _null(COUNT),
        "oom_kills": _null(COUNT),
        "files": _list(_ref("File")),
    }
    file = {"name": TEXT, "size": COUNT, "type": TEXT, "content": {"anyOf": [TEXT, _ref("Encoded")]}}
    one = {**common, **run, "times": _object({**queued, **spent}), "compile_output": TEXT}
    several = {**common, **ending, "compile_output": TEXT, "times": _object(queued), "results": _list(_ref("Run"))}
    return {"File": _object(file), "Run": _object(run), "Report": _object(one), "Reports": _object(several)}


def _described() -> Schema:
    limits = _object({field.name: SECONDS for field in fields(Limits)})
    limits["properties"]["compile_time"] = _null(SECONDS)
    brief = {
        "language": _ref("Language"),
        "title": TEXT,
        "digest": TEXT,
        "profile": _null(TEXT),
        "image": TEXT,
        "image_id": _null(TEXT),
        "waivers": _map(TEXT),
    }
    told = dict.fromkeys(("line", "name", "why", "without", "sources"), TEXT)
    flag = _object({**told, "verified": _null({"enum": [finding.value for finding in Finding]})})
    whole = {**brief, "command": TEXTS, "flags": _list(flag), "benchmarks": TEXT, "limits": _ref("Limits")}
    whole["verified"] = _null(_ref("Verified"))
    language = {"language": _ref("Language"), "title": TEXT, "limits": _ref("Limits")}
    return {
        "Limits": limits,
        "Languages": _object({"languages": _list(_object(language)), "key_required": FLAG}),
        "Policies": _object({"policies": _list(_object(brief))}),
        "Policy": _object(whole),
        "Health": _object({"status": {"const": "up"}}),
        "Verified": _object({"proved": COUNT, "failed": TEXTS, "age": COUNT}),
        "Ready": _object({"status": {"const": "ready"}, "verified": _map(_null(_ref("Verified")))}),
    }
