"""The SDK is an extra that the plain server does not install: whether it is there is asked before it is needed."""

from importlib import import_module
from typing import Final

from runner.errors import PolicyError, Problem

REQUIREMENTS: Final = "runner/mcp/requirements.txt"


def check() -> None:
    """``PolicyError`` where it is not."""
    try:
        import_module("runner.mcp.server")
    except ImportError as error:
        said = f"needs packages that are not installed ({error}): pip install -r {REQUIREMENTS}"
        raise PolicyError(Problem("mcp", None, said)) from None
