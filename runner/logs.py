"""The log: one record a line, as text or as JSON. What a client sends cannot break a line."""

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

LONGEST: Final = 200
"""Characters of a value; a path may have thousands."""
_PLAIN: Final = re.compile(r"[\w.:/@+-]+", re.ASCII)
_UNSAFE: Final = re.compile(r"[^ -~]")
_CLIENTS_FAULTS: Final = (
    "Invalid UTF-8 sequence received from client.",
    "ASGI callable returned without completing response.",  # events that nobody read
    "ASGI callable returned without completing handshake.",  # it was refused
)
_CLIENTS_DOING: Final = ('%s - "WebSocket ', "connection open", "connection closed", "connection rejected")


def fields(record: logging.LogRecord) -> Mapping[str, object]:
    """What a record has beside its message: ``log.info("request", extra={"fields": {...}})``."""
    found: Mapping[str, object] = getattr(record, "fields", {})
    return {key: value for key, value in found.items() if value is not None}


def escaped(text: str) -> str:
    """ASCII without control characters."""
    return _UNSAFE.sub(lambda found: json.dumps(found[0])[1:-1].replace("\x7f", "\\u007f"), text)


def shown(value: object) -> str:
    """A value as it is, or in quotes where it has more than letters and a few signs."""
    text = str(value)
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return text if _PLAIN.fullmatch(text) else escaped(json.dumps(text))


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Text(logging.Formatter):
    """For people: time, level, logger, message, key=value. The lines of a traceback are indented."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, but for a traceback."""
        head = f"{_time(record)} {record.levelname} {record.name} {escaped(record.getMessage())}"
        line = " ".join([head, *(f"{key}={shown(value)}" for key, value in fields(record).items())])
        return "\n    ".join([line, *(escaped(each) for each in _traceback(record).splitlines())])


class Json(logging.Formatter):
    """For machines: one object a line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, also with a traceback."""
        head = {"time": _time(record), "level": record.levelname.lower(), "logger": record.name}
        body = {key: value[:LONGEST] if isinstance(value, str) else value for key, value in fields(record).items()}
        error = {"traceback": said} if (said := _traceback(record)) else {}
        return json.dumps({**head, "message": record.getMessage(), **body, **error}, default=str)


def _traceback(record: logging.LogRecord) -> str:
    return "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""


class Quiet(logging.Filter):
    """For uvicorn's logger: connections are logged by this service, and a client's mistake is not an error of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is for operators."""
        if record.msg in _CLIENTS_FAULTS:
            record.levelno, record.levelname, record.exc_info = logging.INFO, "INFO", None
        return not str(record.msg).startswith(_CLIENTS_DOING)


FORMATS: Final = {"text": Text, "json": Json}


def setup(name: str) -> None:
    """Everything goes to stderr in this format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMATS[name]())
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    logging.getLogger("uvicorn.error").addFilter(Quiet())
