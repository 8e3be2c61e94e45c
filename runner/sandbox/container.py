"""One container's life: started, ready, fed once, ended, gone."""

import asyncio
import contextlib
import logging
import math
import secrets
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable

from runner.errors import EngineError
from runner.policy import argv
from runner.policy.policy import Policy
from runner.sandbox import names, process, removal
from runner.sandbox.handover import hand_over, results
from runner.sandbox.job import Facts, Job, Observed, Output
from runner.sandbox.live import Feed, Live
from runner.sandbox.process import ANSWER_TIME
from runner.sandbox.protocol import NONCE_SIZE, RESULT_HEAD, RESULT_NAME, Phase, Step, Stream, Transcript, message

START_TIME = 20.0
"""Seconds until the launcher must be ready; a cold start takes 0.3 s on an idle machine."""
EXIT_TIME = 5.0
"""Seconds from the verdict until the docker client must be gone."""
INTERRUPT_TIME = 1.0
"""Seconds from the order to end a step until the launcher must have said that it has ended, and what it has used."""
RESULTS_TIME = 5.0
"""Seconds from a run's end until the files that it has left must have come."""
ASK_TIME = 0.5
"""Seconds before a deadline at which the engine is asked whether it is there; it takes less than that to say so."""
GVISOR = "--runtime=runsc"

log = logging.getLogger(__name__)


class Container:
    """A single-use container. ``live`` is its whole life and runs as one task; the other methods talk to it."""

    def __init__(self, policy: Policy, uid: int, instance: str) -> None:
        self.name = names.new()
        self.policy = policy
        self.uid = uid
        self.argv = argv.run(policy, self.name, uid, instance)
        self._nonce = secrets.token_hex(NONCE_SIZE // 2).encode()
        self._transcript = Transcript(self._nonce, _steps(policy), policy.limits.output, _result_bytes(policy))
        self._client: Process | None = None
        self._failure: EngineError | None = None
        self._news = asyncio.Event()
        self._stop = asyncio.Event()
        self._fed = False
        self._overdue = False
        self._live = Live()
        self.ended = False
        """Whether both its streams have come to their end."""

    @property
    def client(self) -> Process | None:
        """The `docker run`, once it was started."""
        return self._client

    async def live(self) -> None:
        """From `docker run` until nothing of it is left. Ends after ``stop``."""
        try:
            client = self._client = await process.spawn(self.argv, stdin=PIPE)
        except EngineError as error:
            self._failure = error
            self._end()
            return
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._tasks.create_task(self._listen(client))
                await self._stop.wait()
                await self._dismiss(client)
        finally:
            process.kill(client)
        if client.returncode != 0:  # the launcher exits with 0, and then --rm has done its work
            await removal.remove(self.name, settled=self._transcript.ready)

    async def ready(self) -> None:
        """Waits until the launcher asks for a program; ``EngineError`` with docker's own words if it never does."""
        loop = asyncio.get_running_loop()
        if not await self._until(lambda: self._transcript.ready, loop.time() + START_TIME):
            self.stop()
            said = self._transcript.engine_text.data.decode(errors="replace").strip()
            raise self._failure or EngineError(said or "docker run: no container was ready in time")

    async def run(self, job: Job, queued: float, live: Live) -> Facts:
        """Hands the job over and follows it to its end or its deadline; who has the container stops it then."""
        assert self._client is not None
        self._fed = True
        self._live = live
        self._transcript.expect_runs(len(job.inputs) - 1)
        try:
            steps = [observed async for observed in self._follow(job)]
            self._overdue = steps[-1].cut
            if self.ended and not self._transcript.over:
                await self._diagnose(self._client)
        finally:
            if live.feed:
                live.feed.end()
        return Facts(self.name, queued, tuple(steps), self.argv)

    @property
    def done(self) -> bool:
        """Whether its program has ended by itself, so that nothing of that is left, and it can wait to be stopped."""
        return self._transcript.over and not self._overdue and not self.ended

    def stop(self) -> None:
        """Asks the container to end; returns at once, ``live`` does the work."""
        self._stop.set()

    async def _follow(self, job: Job) -> AsyncIterator[Observed]:
        """Feeds the launcher and yields its steps as they end."""
        stays = not self.policy.compile and job.terminal is None  # until it is stopped
        self._send(hand_over(self._nonce, job, stays=stays), feed=self._live.feed)
        total_time = self.policy.limits.total_time if job.several else math.inf
        runs = 0
        for number, phase in enumerate(self._transcript.phases, 1):
            if phase.step is Step.RUN:
                runs += 1
                if runs < len(job.inputs) and total_time > 0:
                    self._send(message("input", job.inputs[runs]))  # one ahead: the launcher need not wait for it
            if total_time > 0:
                self._live.begin(phase)
            observed = await self._observe(phase, number, self._limit(phase, job, total_time), total_time)
            yield observed
            if self._is_last(phase, observed):  # the next may have ended by now, but not been seen yet
                return
            if phase.step is Step.RUN:
                total_time -= observed.seconds
            if total_time <= 0 or not phase.over:  # a launcher that does not tell in time ends with all its runs
                self.stop()

    def _is_last(self, phase: Phase, observed: Observed) -> bool:
        if phase.step is Step.COMPILE:
            return observed.timed_out or phase.ending is None or phase.ending.exit_code != 0
        return phase is self._transcript.phases[-1]

    def _limit(self, phase: Phase, job: Job, total_time: float) -> float:
        """Seconds for a step: the policy's, or what the client wants if that is less."""
        limits, narrowed = self.policy.limits, job.narrowed
        if phase.step is Step.COMPILE:
            return min(limits.compile_time, narrowed.compile_time or math.inf)
        own = limits.live_time if job.terminal else min(limits.wall_time, total_time)
        return min(own, narrowed.wall_time or math.inf)

    async def _observe(self, phase: Phase, number: int, limit: float, total_time: float) -> Observed:
        """Waits for a step's end, for too much output, or for its deadline; then for what it has used."""
        clock = asyncio.get_running_loop().time
        began = clock()
        if limit > 0:
            await self._until_late(lambda: phase.ending is not None or _stops(phase), began + limit)
        seconds = clock() - began
        # A launcher whose server is late ends everything by its own clock, after the deadline and without a mark.
        timed_out = not (phase.ending or _stops(phase)) and (seconds >= limit or not self.ended)
        phase.close(cut=timed_out or phase.overflowed)  # who watches sees what the result has, and no more
        stdout = Output(bytes(phase.stdout.data), phase.stdout.dropped)
        stderr = Output(bytes(phase.stderr.data), phase.stderr.dropped)
        if limit > 0 and not phase.ending:
            self._send(message("stop", b"%d" % number))
            await self._until(lambda: phase.ending is not None, clock() + INTERRUPT_TIME)
        if phase.ending:
            await self._until(lambda: phase.over, clock() + RESULTS_TIME)
        return Observed(
            step=phase.step,
            stdout=stdout,
            stderr=stderr,
            ending=phase.ending if phase.over else None,
            timed_out=timed_out,
            seconds=seconds,
            own_time=phase.step is Step.COMPILE or total_time >= self.policy.limits.wall_time,
            results=results(bytes(phase.results)) if phase.over else (),
        )

    def _send(self, data: bytes, *, feed: Feed | None = None) -> None:
        assert self._client is not None
        if not self.ended:
            self._tasks.create_task(self._write(self._client, data, feed))

    async def _diagnose(self, client: Process) -> None:
        """After an end without a verdict: the launcher exits with neither code, so that is the engine's own failure."""
        await process.exited(client, EXIT_TIME)
        if client.returncode == 125:
            raise EngineError("the engine was lost during a run")
        if client.returncode == 2 and GVISOR in self.policy.docker_run:
            raise EngineError("gVisor's own process has crashed during a run: does it need a larger --pids-limit?")
        await process.output(argv.engine_version(), ANSWER_TIME)  # a client that is cut off may exit with another code

    async def _write(self, client: Process, data: bytes, feed: Feed | None) -> None:
        assert client.stdin is not None
        with contextlib.suppress(ConnectionError):  # it ended without reading its input
            client.stdin.write(data)
            await client.stdin.drain()
            if feed:
                async for more in feed:
                    client.stdin.write(more)
                    await client.stdin.drain()

    async def _listen(self, client: Process) -> None:
        """Reads both streams to their end, past every limit: an unread pipe makes `docker kill` hang."""
        assert client.stdout is not None
        assert client.stderr is not None
        async with asyncio.TaskGroup() as pumps:
            pumps.create_task(self._pump("stdout", client.stdout))
            pumps.create_task(self._pump("stderr", client.stderr))
        self._end()

    async def _pump(self, stream: Stream, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(process.CHUNK):
            self._transcript.feed(stream, data)
            self._news.set()
            self._live.news.set()
        self._transcript.feed(stream, b"")

    def _end(self) -> None:
        self.ended = True
        self._news.set()
        self.stop()

    async def _until(self, done: Callable[[], bool], deadline: float) -> bool:
        """Whether it came true before the deadline and before the end of the streams."""
        try:
            async with asyncio.timeout_at(deadline):
                while not (done() or self.ended):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass
        return done()

    async def _until_late(self, done: Callable[[], bool], deadline: float) -> None:
        """As above; but where it is the engine that is late, ``EngineError``: it may hold back what has happened."""
        if await self._until(done, deadline - ASK_TIME) or self.ended:
            return
        asked = asyncio.create_task(process.output(argv.engine_version(), ANSWER_TIME))
        try:
            if not await self._until(done, deadline) and not self.ended:
                await asked
        finally:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)

    async def _dismiss(self, client: Process) -> None:
        """Lets a client go whose container ends by itself, kills any other: the client first, then by name."""
        assert client.stdin is not None
        if self._transcript.ready and (not self._fed or self._transcript.over) and not self._overdue:
            client.stdin.close()  # the launcher ends when nobody is left to ask
        elif not self.ended:
            process.kill(client)
        if not await process.exited(client, EXIT_TIME):
            log.warning("%s: the docker client did not end by itself", self.name)
            process.kill(client)
            await process.exited(client, EXIT_TIME)


def _steps(policy: Policy) -> tuple[Step, ...]:
    return (Step.COMPILE, Step.RUN) if policy.compile else (Step.RUN,)


def _result_bytes(policy: Policy) -> int:
    """What a run's results take on their way, at the most."""
    limits = policy.limits
    return limits.result_bytes + limits.result_files * (RESULT_HEAD + RESULT_NAME)


def _stops(phase: Phase) -> bool:
    """A program that writes too much is stopped; a compiler's flood is dropped, its verdict matters."""
    return phase.step is Step.RUN and phase.overflowed
