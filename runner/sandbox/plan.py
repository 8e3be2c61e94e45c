"""What the pool does next: one pure function from what is, to whom to hand, what to start and what to stop."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

QUIET_TIME = 1.0
"""Seconds after a hand-over in which nothing is started ahead of need: most programs have ended by then."""
CALM_TIME = 0.05
"""The same where many ask at once; and in which no container goes: its end takes more CPU than most programs."""
LONGEST_HOLD = 1.0
"""Seconds after which a container goes whose program has ended, whoever runs."""


class State(Enum):
    """A container's place in its life."""

    STARTING = "starting"
    IDLE = "idle"
    RUNNING = "running"
    LIVE = "live"
    """Its program waits for a person most of the time."""
    ENDING = "ending"
    """It leaves, and holds its program's place till then: something of that may be there still."""
    HELD = "held"
    """Its program has ended, and nothing of that is left: it goes when that disturbs nobody."""
    RETIRING = "retiring"
    """It leaves, and holds no program's place."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A container as the plan sees it."""

    name: str
    language: str
    state: State
    since: float
    """When it came into this state, in seconds of any clock that goes on."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request that waits for a container."""

    number: int
    language: str
    live: bool = False
    client: str = ""
    turn: int = 0
    """The round in which it is served: see ``turns``."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One language."""

    warm: int
    """Containers to keep ready, by now."""
    memory: int
    """Bytes that one container may use."""
    not_before: float
    """After failures: no start ahead of need before this time."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is never exceeded, and when an idle container is too old."""

    running: int
    """Programs at the same time; one that was cut off counts until its container is gone."""
    starting: int
    """Containers that start at the same time."""
    containers: int
    memory: int
    """Bytes, of all containers' limits together."""
    idle_time: float
    """Seconds after which an idle container is replaced."""


@dataclass(frozen=True, slots=True)
class View:
    """All that a plan depends on."""

    now: float
    containers: tuple[Seen, ...]
    tickets: tuple[Ticket, ...]
    """In the order in which they are served."""
    languages: Mapping[str, Wanted]
    bounds: Bounds
    rush: int
    """Containers asked for a second. More than may run at once: then so many may start ahead of need at once."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now."""

    handovers: tuple[tuple[int, str], ...]
    """Pairs of a ticket's number and a container's name."""
    starts: tuple[str, ...]
    """Languages."""
    stops: tuple[str, ...]
    """Names of idle containers, and of those that were held."""


def plan(view: View) -> Plan:
    """Serves tickets in their order, starts what they need, then refills while a CPU is free; renews what is old."""
    handovers = tuple(_handovers(view))
    taken = {name for _, name in handovers}
    served = {number for number, _ in handovers}
    idle = [c for c in _some(view, State.IDLE) if c.name not in taken]
    # Only for those whose turn comes soon: what is started for the others would take the running programs' time.
    next_ones = [t for t in view.tickets if t.number not in served][: view.bounds.starting]
    short, spare = _match(next_ones, view, idle)
    room = _Room(view)
    starts = [language for language in short if room.take(language)]
    if len(starts) < len(short):
        missing = len(short) - len(starts) - sum(c.state is State.RETIRING for c in view.containers)
        crowded = not room.has(short[len(starts)])
        held = _some(view, State.HELD) if crowded else _released(view, len(handovers))
        yielding = spare[: max(0, missing - len(held))] if crowded else []
        return Plan(handovers, tuple(starts), tuple(c.name for c in (*held, *yielding)))
    if not short:
        starts = [language for language in _refill(view, spare, len(handovers)) if room.take(language)]
    leaving = (*_released(view, len(handovers)), *_outdated(view, spare))
    return Plan(handovers, tuple(starts), tuple(c.name for c in leaving))


def _some(view: View, *states: State) -> list[Seen]:
    """Those in one of these states, the oldest first."""
    return sorted((c for c in view.containers if c.state in states), key=_age)


def _age(container: Seen) -> tuple[float, str]:
    return container.since, container.name


def _busy(view: View) -> int:
    return len(_some(view, State.RUNNING, State.ENDING))


def _handovers(view: View) -> Iterator[tuple[int, str]]:
    """The oldest idle container for each ticket in turn; who needs another language need not wait behind it."""
    free = view.bounds.running - _busy(view)
    idle = _some(view, State.IDLE)
    for ticket in view.tickets:
        container = next((c for c in idle if c.language == ticket.language), None)
        if container and (free > 0 or ticket.live):  # how many live ones there may be, the pool has decided
            idle.remove(container)
            free -= not ticket.live
            yield ticket.number, container.name


def _match(tickets: list[Ticket], view: View, idle: list[Seen]) -> tuple[list[str], list[Seen]]:
    """The languages of tickets for which nothing is there or coming, in order; and the idle ones that none needs."""
    coming = Counter(c.language for c in view.containers if c.state is State.STARTING)
    spare, short = list(idle), []
    for ticket in tickets:
        reserved = next((c for c in spare if c.language == ticket.language), None)
        if reserved:
            spare.remove(reserved)
        elif coming[ticket.language] > 0:
            coming[ticket.language] -= 1
        else:
            short.append(ticket.language)
    return short, spare


class _Room:
    """Counts what may still be started."""

    def __init__(self, view: View) -> None:
        bounds = view.bounds
        self._languages = view.languages
        self._starts = bounds.starting - sum(c.state is State.STARTING for c in view.containers)
        self._places = bounds.containers - len(view.containers)
        self._memory = bounds.memory - sum(view.languages[c.language].memory for c in view.containers)

    def has(self, language: str) -> bool:
        """Whether one more container would stay within the maximum."""
        return self._places > 0 and self._memory >= self._languages[language].memory

    def take(self, language: str) -> bool:
        """Counts one start, if it may be."""
        if self._starts <= 0 or not self.has(language):
            return False
        self._starts -= 1
        self._places -= 1
        self._memory -= self._languages[language].memory
        return True


def _refill(view: View, spare: list[Seen], handed_over: int) -> Iterator[str]:
    """Starts ahead of need: one at a time and only beside programs that leave a CPU free, or, in a rush, more."""
    at_once = view.rush if view.rush > view.bounds.running else 1
    if _hurried(view, handed_over) or (at_once == 1 and _would_disturb(view)):
        return
    starting = Counter(c.language for c in view.containers if c.state is State.STARTING)
    there = starting + Counter(c.language for c in spare if view.now - c.since < view.bounds.idle_time)
    wanted = {name: w.warm for name, w in view.languages.items() if w.not_before <= view.now}
    for _ in range(at_once - starting.total()):
        lacking = [(there[name] / warm, name) for name, warm in wanted.items() if there[name] < warm]
        if not lacking:
            return
        language = min(lacking)[1]
        there[language] += 1
        yield language


def _began_within(view: View, seconds: float) -> bool:
    return any(view.now - c.since < seconds for c in _some(view, State.RUNNING))


def _hurried(view: View, handed_over: int) -> bool:
    """Whether a program has begun a moment ago, so that its end is worth waiting for."""
    return handed_over > 0 or _began_within(view, CALM_TIME)


def _would_disturb(view: View) -> bool:
    """Whether all CPUs are taken, or a program has begun so short a time ago that it will soon have ended."""
    taken = len(_some(view, State.RUNNING, State.ENDING, State.HELD, State.RETIRING))
    return _began_within(view, QUIET_TIME) or taken >= view.bounds.running


def _released(view: View, handed_over: int) -> list[Seen]:
    """What was held and goes now: as many at a time as there are CPUs that no program has."""
    held = _some(view, State.HELD)
    overdue = [c for c in held if view.now - c.since >= LONGEST_HOLD]
    free = view.bounds.running - _busy(view) - len(_some(view, State.RETIRING)) - len(overdue)
    return held[: len(overdue) + max(0, free)] if not _hurried(view, handed_over) else overdue


def _outdated(view: View, spare: list[Seen]) -> Iterator[Seen]:
    """Idle containers that are too old or too many, the oldest first, once enough others are there."""
    left = Counter(c.language for c in spare)
    for container in spare:
        if left[container.language] > view.languages[container.language].warm:
            left[container.language] -= 1
            yield container
