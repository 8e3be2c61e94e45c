"""Warm containers: started ahead from the very same argv, each used once. ``plan`` decides, this does."""

import asyncio
import logging
import math
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from runner.container import Container
from runner.errors import Busy, EngineError
from runner.plan import Bounds, Plan, Seen, State, Ticket, View, Wanted, plan
from runner.policy import Policy
from runner.settings import Settings
from runner.uids import Uids

RATE_TIME = 10.0
"""Seconds over which arrivals are counted."""
REFILL_TIME = 0.5
"""Seconds that a start takes on a machine that has other things to do: so much demand is kept ready."""
QUIET_TIME = 0.1
"""Seconds after a hand-over in which nothing is started ahead of need: most programs have ended by then."""
TURN_TIME = 1.0
"""Seconds after which ages and back-offs are looked at again."""
LONGEST_BACK_OFF = 30.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Entry:
    container: Container
    state: State
    since: float


@dataclass(slots=True)
class _Demand:
    """How often a language is asked for, and how its starts fail."""

    rate: float = 0.0
    """Requests per second, forgotten over RATE_TIME."""
    counted: float = 0.0
    failures: int = 0
    not_before: float = 0.0

    def count(self, now: float) -> None:
        """One more request."""
        self.rate = self.at(now) + 1 / RATE_TIME
        self.counted = now

    def at(self, now: float) -> float:
        """The rate by now."""
        return self.rate * math.exp((self.counted - now) / RATE_TIME)


@dataclass(slots=True)
class _Request:
    ticket: Ticket
    served: asyncio.Future[Container] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Pool:
    """All containers of the service. Mutable state: ``_entries``, ``_line``, ``_demand``; only ``_turn`` acts on it."""

    def __init__(self, policies: Mapping[str, Policy], settings: Settings) -> None:
        self._policies = policies
        self._settings = settings
        running = settings.running or len(os.sched_getaffinity(0))
        self._bounds = Bounds(running, running, settings.containers, settings.memory, settings.idle_time)
        self._uids = Uids()
        self._entries: dict[str, _Entry] = {}
        self._keepers: set[asyncio.Task[None]] = set()
        self._line: dict[int, _Request] = {}
        self._tickets = 0
        self._demand = {name: _Demand() for name in policies}
        self._quiet_until = 0.0
        self._closing = False
        self.hits = 0
        """Requests that found a container ready."""
        self.misses = 0

    @property
    def names(self) -> set[str]:
        """The containers that are this pool's."""
        return set(self._entries)

    @asynccontextmanager
    async def container(self, language: str) -> AsyncIterator[Container]:
        """A ready container for one program; ``Busy`` or ``EngineError`` when there is none in time."""
        container = await self._wait(language)
        try:
            yield container
        finally:
            self._move(container.name, State.ENDING)
            container.stop()
            self._turn()

    async def _wait(self, language: str) -> Container:
        request = self._enqueue(language)
        try:
            async with asyncio.timeout(self._settings.waiting_time):
                return await request.served
        except TimeoutError:
            self._return(request)
            raise Busy(f"No place was free within {self._settings.waiting_time:g} s. Try again shortly.", 2.0) from None
        except asyncio.CancelledError:
            self._return(request)
            raise

    def _enqueue(self, language: str) -> _Request:
        if self._closing:
            raise Busy("The service is stopping. Try again shortly.", 5.0)
        now = asyncio.get_running_loop().time()
        self._tickets += 1
        request = _Request(Ticket(self._tickets, language))
        self._line[self._tickets] = request
        self._demand[language].count(now)
        self._turn()
        if request.served.done():
            self.hits += 1
            return request
        self.misses += 1
        if len(self._line) > self._settings.waiting:
            del self._line[request.ticket.number]
            raise Busy(f"{len(self._line)} programs wait already. Try again shortly.", 2.0)
        return request

    def _return(self, request: _Request) -> None:
        """Who waited has gone: frees the place in the line, or the container that came at the same moment."""
        self._line.pop(request.ticket.number, None)
        if request.served.done() and not request.served.cancelled() and not request.served.exception():
            self._move(request.served.result().name, State.IDLE)
            self._turn()

    def _move(self, name: str, state: State) -> None:
        if entry := self._entries.get(name):
            entry.state, entry.since = state, asyncio.get_running_loop().time()

    def _view(self, now: float) -> View:
        containers = (Seen(e.container.name, e.container.policy.name, e.state, e.since) for e in self._entries.values())
        languages = {
            name: Wanted(
                warm=policy.warm + math.ceil(self._demand[name].at(now) * REFILL_TIME - 0.1),
                memory=policy.memory,
                not_before=self._demand[name].not_before,
            )
            for name, policy in self._policies.items()
        }
        tickets = tuple(request.ticket for request in self._line.values() if not request.served.done())
        return View(now, tuple(containers), tickets, languages, self._bounds, self._quiet_until)

    def _turn(self) -> None:
        """Makes a plan and carries it out; called whenever something has changed."""
        if not self._closing:
            self._carry_out(plan(self._view(asyncio.get_running_loop().time())))

    def _carry_out(self, todo: Plan) -> None:
        for number, name in todo.handovers:
            self._move(name, State.RUNNING)
            self._line.pop(number).served.set_result(self._entries[name].container)
        if todo.handovers:
            loop = asyncio.get_running_loop()
            self._quiet_until = loop.time() + QUIET_TIME
            loop.call_later(QUIET_TIME, self._turn)
        for name in todo.stops:
            self._move(name, State.RETIRING)
            self._entries[name].container.stop()
        for language in todo.starts:
            self._start(language)

    def _start(self, language: str) -> None:
        container = Container(self._policies[language], self._uids.take(), self._settings.instance)
        self._entries[container.name] = _Entry(container, State.STARTING, asyncio.get_running_loop().time())
        keeper = asyncio.create_task(self._keep(container), name=container.name)
        self._keepers.add(keeper)
        keeper.add_done_callback(self._kept)

    async def _keep(self, container: Container) -> None:
        """Owns a container from its start until it is gone."""
        failure: EngineError | None = None
        try:
            async with asyncio.TaskGroup() as life:
                life.create_task(container.live())
                try:
                    await container.ready()
                    self._move(container.name, State.IDLE)
                    self._turn()
                except EngineError as error:
                    failure = error
            if failure is None and self._entries[container.name].state is State.IDLE:
                failure = EngineError("died while it was idle")
        finally:
            entry = self._entries.pop(container.name)
            self._uids.give_back(container.uid)
            self._learn(container, entry.state, failure)
            self._turn()

    def _learn(self, container: Container, state: State, failure: EngineError | None) -> None:
        """Waits longer after each failure; a start that failed is the answer to whoever waited for it."""
        demand = self._demand[container.policy.name]
        if failure is None:
            demand.failures = 0
        elif state in (State.STARTING, State.IDLE) and not self._closing:
            log.error("%s: %r", container.name, failure.detail)
            demand.failures += 1
            back_off = min(0.5 * 2**demand.failures, LONGEST_BACK_OFF)
            demand.not_before = asyncio.get_running_loop().time() + back_off
            language = container.policy.name
            waiting = next(
                (r for r in self._line.values() if r.ticket.language == language and not r.served.done()), None
            )
            if waiting and state is State.STARTING:
                self._line.pop(waiting.ticket.number).served.set_exception(failure)

    def _kept(self, keeper: asyncio.Task[None]) -> None:
        self._keepers.discard(keeper)
        if not keeper.cancelled() and (error := keeper.exception()):
            log.error("%s: its keeper failed", keeper.get_name(), exc_info=error)

    async def turn_forever(self) -> None:
        """Keeps containers ready when nothing else happens."""
        while True:
            self._turn()
            await asyncio.sleep(TURN_TIME)

    async def close(self, seconds: float) -> None:
        """Refuses whoever waits, stops every container and waits until they are gone, so long at most."""
        self._closing = True
        for request in self._line.values():
            if not request.served.done():
                request.served.set_exception(Busy("The service is stopping. Try again shortly.", 5.0))
        self._line.clear()
        for entry in self._entries.values():
            entry.container.stop()
        if not self._keepers:
            return
        _, late = await asyncio.wait(self._keepers, timeout=seconds)
        for keeper in late:
            log.error("%s: could not be removed in time; the next start sweeps it", keeper.get_name())
            keeper.cancel()
        await asyncio.gather(*late, return_exceptions=True)
