"""The tools behind the SDK's server, the same for both transports. No other module needs ``mcp`` to be read."""

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from contextlib import aclosing
from itertools import count
from typing import Any, Final, Protocol

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from runner.errors import Refusal, RetryLater
from runner.mcp import results, tools
from runner.mcp.calls import Calls, Report
from runner.policy.policy import Policy
from runner.runs import request
from runner.runs.client import Client
from runner.runs.events import said
from runner.runs.service import Service
from runner.runs.watch import watch
from runner.sandbox.job import Job

CANCELLED: Final = -32800
"""The SDK's own code for a request that was taken back."""
REPORT_TIME: Final = 10.0
"""Seconds that whoever asked may let a report of progress wait before it is taken for gone."""

log = logging.getLogger(__name__)


class Caller(Protocol):
    """Who asks for a program to be run, on whichever way they came."""

    name: tuple[str, ...]
    """By which the call can be taken back."""
    arguments: bytes
    """Those of the tool, as JSON."""

    async def admit(self) -> Client:
        """Who they are, if they may run one now; else a ``Refusal``."""
        ...

    def began(self, job: Job) -> None:
        """What is run for them."""

    def ended(self, report: Mapping[str, Any]) -> None:
        """How it ended."""

    def refused(self, error: Exception) -> None:
        """Why nothing was run for them, or why it failed."""


Context = ServerRequestContext[Any, Any]
Callers = Callable[[Context, types.CallToolRequestParams], Caller]


class Tools:
    """The handlers of the two tools."""

    def __init__(self, service: Service, calls: Calls, callers: Callers) -> None:
        self._service, self._calls, self._callers = service, calls, callers

    @property
    def policies(self) -> Mapping[str, Policy]:
        """What can be run."""
        return self._service.policies

    async def list(self, _: Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        """``tools/list``."""
        return types.ListToolsResult.model_validate({"tools": tools.tools(self.policies)})

    async def call(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        """``tools/call``."""
        if params.name == tools.RUN:
            found = await self._run(context, self._callers(context, params))
        elif params.name == tools.LIST:
            found = {"content": [results.text(tools.listed(self.policies))], "isError": False}
        else:
            raise MCPError(types.INVALID_PARAMS, f"There are two tools: {tools.RUN} and {tools.LIST}.")
        return types.CallToolResult.model_validate(found)

    async def _run(self, context: Context, caller: Caller) -> dict[str, Any]:
        """Whatever happens to it is told so that a model can act on it."""
        try:
            client = await caller.admit()
            job = request.call(caller.arguments, self.policies)
            caller.began(job)
            report = await self._calls.run(caller.name, self._watched(context, job, client))
        except Exception as error:
            if not isinstance(error, Refusal):
                log.exception("a tool failed")
            caller.refused(error)
            return results.refusal(_said(error))
        if report is None:
            raise MCPError(CANCELLED, "The call was taken back, and its program was stopped.")
        caller.ended(report)
        return results.run(report, self.policies[job.language])

    async def _watched(self, context: Context, job: Job, client: Client) -> Report | None:
        """The run's report; None where nobody takes what is told on the way to it.

        That is its phases, as progress, and the last one again while nothing is new.
        """
        report: Report = {}
        step, phase = count(1), ""
        async with aclosing(watch(self._service, job, client)) as events:
            async for event in events:
                if event and event.name == "result":
                    report = dict(event.data)
                elif event is None or event.name == "phase":
                    phase = said(event.data) if event else phase
                    try:
                        async with asyncio.timeout(REPORT_TIME):
                            await context.session.report_progress(next(step), message=phase)
                    except TimeoutError:
                        return None
        return report


def _said(error: Exception) -> str:
    """What the model hears: what was wrong, and what to do; of a bug, only that it is one."""
    if not isinstance(error, Refusal):
        return "The service failed; its log says why. It is not the program's fault."
    later = f" Call again in {math.ceil(error.seconds)} s." if isinstance(error, RetryLater) else ""
    return f"{error}{later}"


def build(service: Service, calls: Calls, callers: Callers) -> Server[Any]:
    """A server that knows the two tools, and nothing else."""
    handlers = Tools(service, calls, callers)
    return Server(
        "code-runner",
        title=tools.TITLE,
        instructions=tools.INSTRUCTIONS,
        on_list_tools=handlers.list,
        on_call_tool=handlers.call,
    )
