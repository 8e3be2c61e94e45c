"""Warm containers: started ahead from the very same argv, each used once. ``plan`` decides, this does."""

import asyncio
import logging
import math
import os
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from runner.errors import Busy, EngineError
from runner.policy.policy import Policy
from runner.policy.settings import Settings
from runner.sandbox.container import Container
from runner.sandbox.demand import Demand
from runner.sandbox.line import REQUEST
from runner.sandbox.plan import CALM_TIME, Bounds, Plan, Seen, State, View, Wanted, plan
from runner.sandbox.uids import Uids
from runner.sandbox.waiting import Line, Placed, Request
from runner.sandbox.warmth import Crowds, Wish, is_scarce, ready

READY_TIME = 1.0
"""Seconds of the present demand for which containers are kept ready, beside the policy's own number."""
TURN_TIME = 1.0
"""Seconds after which ages and back-offs are looked at again."""
ANSWER_TIME = 0.005
"""Seconds that a run's answer has to go out before its container goes."""
MEMINFO = Path("/proc/meminfo")

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Entry:
    container: Container
    state: State
    since: float

    def seen(self) -> Seen:
        """As a plan sees it; one that has died idle is not handed to anybody, although its keeper is not done yet."""
        died = self.state is State.IDLE and self.container.ended
        state = State.RETIRING if died else self.state
        return Seen(self.container.name, self.container.policy.name, state, self.since)


class Pool:
    """All containers of the service. Mutable state: ``_entries``, ``_line``, ``demand``; only ``_turn`` acts on it."""

    def __init__(self, policies: Mapping[str, Policy], settings: Settings) -> None:
        self._policies = policies
        self._settings = settings
        running = settings.running or len(os.sched_getaffinity(0))
        self._bounds = Bounds(running, 2 * running, settings.containers, settings.memory, settings.idle_time)
        self._uids = Uids()
        self._entries: dict[str, _Entry] = {}
        self._keepers: set[asyncio.Task[None]] = set()
        self._line = Line(settings.waiting_memory)
        self.demand = {name: Demand() for name in policies}
        self._crowds = {name: Crowds() for name in policies}
        self._warm = {name: policy.warm for name, policy in policies.items()}
        self._closing = False
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def names(self) -> set[str]:
        """The containers that are this pool's."""
        return set(self._entries)

    def warm(self) -> bool:
        """Whether as many containers are ready as the policies want."""
        idle = [e.container.policy.name for e in self._entries.values() if e.state is State.IDLE]
        return all(idle.count(policy.name) >= policy.warm for policy in self._policies.values())

    @property
    def running(self) -> int:
        """Programs that may run at the same time."""
        return self._bounds.running

    @property
    def waiting(self) -> int:
        """Requests in the line."""
        return len(self._line)

    def containers(self) -> dict[tuple[str, State], int]:
        """How many there are of each language in each state."""
        seen = Counter((entry.container.policy.name, entry.state) for entry in self._entries.values())
        return {(language, state): seen[language, state] for language in self._policies for state in State}

    def failing(self) -> list[str]:
        """Languages that nobody can be served in: no container is ready, and the last one did not start."""
        ready = {entry.seen().language for entry in self._entries.values() if entry.seen().state is State.IDLE}
        return [n for n, p in self._policies.items() if p.warm and self.demand[n].failures and n not in ready]

    @asynccontextmanager
    async def container(
        self,
        language: str,
        placed: Placed,
        *,
        client: str = "",
        live: bool = False,
        holds: int = REQUEST,
        patience: float = math.inf,
    ) -> AsyncIterator[Container]:
        """A ready container for one program; ``Busy`` or ``EngineError`` when there is none in time.

        ``placed`` is called when the request has its place in the line, and when that changes: what is refused at once,
        is so before.
        ``client``: among those who wait, each has its turn. ``live``: its program will wait for a person.
        ``holds``: bytes that the request takes while it waits. ``patience``: seconds that it is content to wait.
        """
        self._check(language, live=live)
        patience = min(patience, self._settings.waiting_time)
        request = self._line.join(language, placed, client=client, live=live, holds=holds, patience=patience)
        self._enqueue(request)
        self._line.tell(request)
        container = await self._wait(request)
        try:
            yield container
        finally:
            self._release(container, live=live)

    def _release(self, container: Container, *, live: bool) -> None:
        """After its program: it goes at once, or when that disturbs nobody."""
        if container.done and not live:
            self._move(container.name, State.HELD)
            self._turn_in(0.0 if self._line else ANSWER_TIME)
        else:
            self._move(container.name, State.RETIRING if live else State.ENDING)
            container.stop()  # its keeper makes the next turn, when it is gone

    def _turn_in(self, seconds: float) -> None:
        """The next turn then, if nothing makes it before."""
        self._silence()
        self._alarm = asyncio.get_running_loop().call_later(seconds, self._turn)

    def _silence(self) -> None:
        if self._alarm:
            self._alarm.cancel()

    async def _wait(self, request: Request) -> Container:
        try:
            async with asyncio.timeout(request.patience):
                return await request.served
        except TimeoutError:
            self._return(request)
            raise self._line.give_up(request) from None
        except asyncio.CancelledError:
            self._return(request)
            raise

    def _check(self, language: str, *, live: bool) -> None:
        """Refuses what cannot be served, however long the line is."""
        if self._closing:
            raise Busy("The service is stopping. Try again shortly.", 5.0)
        not_before = self.demand[language].not_before
        if not_before > asyncio.get_running_loop().time() and not self._coming(language):
            raise EngineError("starts have failed; the next is tried after a pause")
        if live and self._alive() >= self._settings.live:
            raise Busy(f"{self._alive()} live runs go on already. Try again shortly.", 5.0)

    def _enqueue(self, request: Request) -> None:
        """Counts it, and sees whether there is a container or, if not, room to wait."""
        demand = self.demand[request.ticket.language]
        now = asyncio.get_running_loop().time()
        demand.count(now)
        self._crowds[request.ticket.language].count(now, self._at_once(request.ticket.language))
        self._turn()
        at_once = request.served.done()
        if not at_once:
            self._line.bound(request)
        demand.served(at_once=at_once)

    def _alive(self) -> int:
        """Live runs that go on or wait for their container."""
        return self._line.live() + sum(entry.state is State.LIVE for entry in self._entries.values())

    def _at_once(self, language: str) -> int:
        """Programs of a language that wait or run."""
        there = (e.seen() for e in self._entries.values())
        return self._line.of(language) + sum(c.language == language and c.state is State.RUNNING for c in there)

    def _coming(self, language: str) -> bool:
        there = (e.seen() for e in self._entries.values())
        return any(c.language == language and c.state in (State.STARTING, State.IDLE) for c in there)

    def _return(self, request: Request) -> None:
        """Who waited has gone: frees the place in the line, or the container that came at the same moment."""
        self._line.leave(request)
        if request.has_container:
            self._move(request.served.result().name, State.IDLE)
            self._turn()

    def _move(self, name: str, state: State) -> None:
        if entry := self._entries.get(name):
            entry.state, entry.since = state, asyncio.get_running_loop().time()

    def _view(self, now: float) -> View:
        languages = {
            name: Wanted(
                warm=self._warm[name] + round(self.demand[name].at(now) * READY_TIME),
                memory=policy.memory,
                not_before=self.demand[name].not_before,
            )
            for name, policy in self._policies.items()
        }
        tickets = tuple(request.ticket for request in self._line.waiting())
        rush = math.ceil(sum(demand.at(now) for demand in self.demand.values()))
        containers = tuple(entry.seen() for entry in self._entries.values())
        return View(now, containers, tickets, languages, self._bounds, rush)

    def _learn(self, now: float, meminfo: str) -> None:
        """What stands ready from now on, by the policies, the day and the host's memory."""
        share = 0.0 if is_scarce(meminfo) else self._settings.warm_share
        wishes = {n: Wish(p.warm, self._crowds[n].largest(now), p.memory) for n, p in self._policies.items()}
        self._warm = ready(wishes, int(share * self._bounds.containers), int(share * self._bounds.memory))

    def _turn(self) -> None:
        """Makes a plan and carries it out; called whenever something has changed."""
        if not self._closing:
            self._silence()
            self._carry_out(plan(self._view(asyncio.get_running_loop().time())))
            if any(entry.state is State.HELD for entry in self._entries.values()):
                self._turn_in(CALM_TIME)

    def _carry_out(self, todo: Plan) -> None:
        for number, name in todo.handovers:
            ticket = self._line.serve(number, self._entries[name].container)
            self._move(name, State.LIVE if ticket.live else State.RUNNING)
        if todo.handovers:
            self._line.tell_all()
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
        try:
            async with asyncio.TaskGroup() as life:
                living = life.create_task(container.live())
                try:
                    await container.ready()
                    self.demand[container.policy.name].in_a_row = 0
                    self._move(container.name, State.IDLE)
                    self._turn()
                    await living
                except EngineError as error:
                    self._fail(container, error)
            if self._entries[container.name].state is State.IDLE:
                self._fail(container, EngineError("died while it was idle"))
        finally:
            del self._entries[container.name]
            self._uids.give_back(container.uid)
            self._turn()

    def _fail(self, container: Container, error: EngineError) -> None:
        """Waits longer after each failure; who waited for this container hears of it."""
        if self._closing or self._entries[container.name].state is State.RETIRING:
            return
        log.error("%s: %r", container.name, error.detail)
        started = self._entries[container.name].state is State.STARTING
        self._move(container.name, State.RETIRING)
        self.demand[container.policy.name].fail(asyncio.get_running_loop().time())
        request = next((r for r in self._line.waiting() if r.ticket.language == container.policy.name), None)
        if request and started:
            self._line.leave(request)
            request.served.set_exception(error)
        self._turn()

    def _kept(self, keeper: asyncio.Task[None]) -> None:
        self._keepers.discard(keeper)
        if not keeper.cancelled() and (error := keeper.exception()):
            log.error("%s: its keeper failed", keeper.get_name(), exc_info=error)

    async def turn_forever(self) -> None:
        """Keeps containers ready when nothing else happens, and gives them back while the host's memory is scarce."""
        while True:
            meminfo = MEMINFO.read_text()  # noqa: ASYNC240  # no disk is asked
            self._learn(asyncio.get_running_loop().time(), meminfo)
            self._turn()
            await asyncio.sleep(TURN_TIME)

    async def close(self, seconds: float) -> None:
        """Refuses whoever waits, stops every container and waits until they are gone, so long at most."""
        self._closing = True
        self._line.close(Busy("The service is stopping. Try again shortly.", 5.0))
        for entry in self._entries.values():
            entry.container.stop()
        if not self._keepers:
            return
        _, late = await asyncio.wait(self._keepers, timeout=seconds)
        for keeper in late:
            log.error("%s: could not be removed in time; the next start sweeps it", keeper.get_name())
            keeper.cancel()
        await asyncio.gather(*late, return_exceptions=True)
