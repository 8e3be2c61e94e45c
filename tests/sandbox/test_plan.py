"""The pool's decisions as a state machine: the world does anything, the plan keeps its promises."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runner.sandbox.plan import Bounds, Plan, Seen, State, Ticket, View, Wanted, plan

LANGUAGES = ("python", "cpp", "rust")


class World(RuleBasedStateMachine):
    """Requests and containers, driven by plans; every container leaves in the end."""

    @initialize(
        running=st.integers(1, 4),
        starting=st.integers(1, 3),
        containers=st.integers(1, 6),
        memory=st.integers(4, 12),
        sizes=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)),
        warm=st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
    )
    def begin(
        self, running: int, starting: int, containers: int, memory: int, sizes: tuple[int, ...], warm: tuple[int, ...]
    ) -> None:
        self.bounds = Bounds(running, starting, containers, memory, idle_time=100)
        self.languages = {n: Wanted(w, m, 0) for n, m, w in zip(LANGUAGES, sizes, warm, strict=True)}
        self.now = 0.0
        self.rush = 0
        self.containers: dict[str, Seen] = {}
        self.tickets: dict[int, Ticket] = {}
        self.used: set[str] = set()
        self.count = 0

    def turn(self) -> None:
        """Carries out one plan and checks that each part of it was allowed."""
        tickets = tuple(self.tickets.values())
        view = View(self.now, tuple(self.containers.values()), tickets, self.languages, self.bounds, self.rush)
        todo = plan(view)
        assert todo == plan(view)
        for number, name in todo.handovers:
            ticket = self.tickets.pop(number)
            assert self.containers[name].state is State.IDLE
            assert self.containers[name].language == ticket.language
            assert name not in self.used, "handed out twice"
            self.used.add(name)
            self.move(name, State.LIVE if ticket.live else State.RUNNING)
        for name in todo.stops:
            assert self.containers[name].state in (State.IDLE, State.HELD)
            self.move(name, State.RETIRING)
        for language in todo.starts:
            self.count += 1
            name = f"c{self.count}"
            self.containers[name] = Seen(name, language, State.STARTING, self.now)

    def move(self, name: str, state: State) -> None:
        self.containers[name] = replace(self.containers[name], state=state, since=self.now)

    def some(self, *states: State) -> list[str]:
        return sorted(name for name, c in self.containers.items() if c.state in states)

    @rule(language=st.sampled_from(LANGUAGES), live=st.booleans())
    def request(self, language: str, live: bool) -> None:
        self.count += 1
        self.tickets[self.count] = Ticket(self.count, language, live)
        self.turn()

    @precondition(lambda self: self.tickets)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """A client goes away, or its deadline passes."""
        del self.tickets[data.draw(st.sampled_from(sorted(self.tickets)))]
        self.turn()

    @precondition(lambda self: self.some(State.STARTING))
    @rule(data=st.data(), fine=st.booleans())
    def started(self, data: st.DataObject, fine: bool) -> None:
        name = data.draw(st.sampled_from(self.some(State.STARTING)))
        self.move(name, State.IDLE if fine else State.RETIRING)
        if not fine:
            language = self.containers[name].language
            self.languages[language] = replace(self.languages[language], not_before=self.now + 10)
        self.turn()

    @precondition(lambda self: self.some(State.RUNNING))
    @rule(data=st.data(), by_itself=st.booleans())
    def ended(self, data: st.DataObject, by_itself: bool) -> None:
        self.move(data.draw(st.sampled_from(self.some(State.RUNNING))), State.HELD if by_itself else State.ENDING)
        self.turn()

    @precondition(lambda self: self.some(State.LIVE))
    @rule(data=st.data())
    def hung_up(self, data: st.DataObject) -> None:
        self.move(data.draw(st.sampled_from(self.some(State.LIVE))), State.RETIRING)
        self.turn()

    @precondition(lambda self: self.some(State.ENDING, State.RETIRING, State.IDLE))
    @rule(data=st.data())
    def gone(self, data: st.DataObject) -> None:
        """Also an idle container may die."""
        del self.containers[data.draw(st.sampled_from(self.some(State.ENDING, State.RETIRING, State.IDLE)))]
        self.turn()

    @rule(seconds=st.floats(0.1, 200))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.turn()

    @rule(warm=st.integers(0, 4), language=st.sampled_from(LANGUAGES), rush=st.integers(0, 5))
    def demand(self, warm: int, language: str, rush: int) -> None:
        """Arrivals become more or fewer."""
        self.rush = rush
        self.languages[language] = replace(self.languages[language], warm=warm)
        self.turn()

    @invariant()
    def within_bounds(self) -> None:
        assert len(self.containers) <= self.bounds.containers
        assert sum(self.languages[c.language].memory for c in self.containers.values()) <= self.bounds.memory
        assert len(self.some(State.RUNNING, State.ENDING)) <= self.bounds.running
        assert len(self.some(State.STARTING)) <= self.bounds.starting

    def settle(self) -> None:
        """Every start succeeds, every program ends, every container goes: one event a turn."""
        for name in self.some(State.STARTING)[:1]:
            self.move(name, State.IDLE)
        for name in self.some(State.RUNNING)[:1]:
            self.move(name, State.HELD)
        for name in self.some(State.LIVE)[:1]:
            self.move(name, State.RETIRING)
        for name in self.some(State.ENDING, State.RETIRING)[:1]:
            del self.containers[name]
        self.now += 0.06
        self.turn()

    def teardown(self) -> None:
        """Whoever waits is served in the end, and then as many are warm as there is room for."""
        if not hasattr(self, "bounds"):
            return
        self.now += 11
        for _ in range(40 + 10 * (len(self.tickets) + len(self.containers))):
            self.settle()
            self.within_bounds()
        assert not self.tickets, "never served"
        idle = {n: sum(c.language == n for c in self.containers.values()) for n in LANGUAGES}
        assert all(idle[n] <= self.languages[n].warm for n in LANGUAGES)
        memory = sum(w.memory * w.warm for w in self.languages.values())
        containers = sum(w.warm for w in self.languages.values())
        if memory <= self.bounds.memory and containers <= self.bounds.containers:
            assert idle == {n: w.warm for n, w in self.languages.items()}


TestWorld = World.TestCase
TestWorld.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def seen(name: str, language: str, state: State = State.IDLE, since: float = 0) -> Seen:
    return Seen(name, language, state, since)


BOUNDS = Bounds(running=2, starting=2, containers=8, memory=100, idle_time=100)
WANTED = {"python": Wanted(2, 1, 0), "cpp": Wanted(1, 1, 0)}


def view(*containers: Seen, tickets: str = "", now: float = 10, **changes: object) -> View:
    """Tickets are languages by their first letter."""
    waiting = tuple(Ticket(n, {"p": "python", "c": "cpp"}[letter]) for n, letter in enumerate(tickets))
    whole = View(now, containers, waiting, WANTED, BOUNDS, rush=0)
    return replace(whole, **changes)  # type: ignore[arg-type]


def test_the_first_who_came_is_served_first_by_the_oldest_container() -> None:
    """FIFO, and containers do not grow old."""
    todo = plan(view(seen("b", "python", since=2), seen("a", "python", since=3), tickets="ppp"))
    assert todo.handovers == ((0, "b"), (1, "a"))
    assert todo.starts == ("python",)


def test_another_language_need_not_wait_behind_a_start() -> None:
    """But nobody is forgotten: what the first needs is started first."""
    todo = plan(view(seen("a", "python"), tickets="cp"))
    assert (todo.handovers, todo.starts) == (((1, "a"),), ("cpp",))


def test_a_program_that_is_not_gone_yet_holds_its_place() -> None:
    """Running means running, or cut off and ending."""
    busy = seen("x", "python", State.ENDING), seen("y", "python", State.RUNNING)
    assert plan(view(seen("a", "python"), *busy, tickets="p")).handovers == ()


def test_a_container_whose_program_has_ended_goes_when_that_disturbs_nobody() -> None:
    """Not while somebody is served or has been a moment ago; then as many at a time as CPUs are free."""
    held = [seen(name, "python", State.HELD, since=9.9) for name in "xyz"]
    assert plan(view(*held, seen("a", "python"), tickets="p")) == Plan(((0, "a"),), (), ())
    young, old = seen("r", "python", State.RUNNING, since=9.96), seen("r", "python", State.RUNNING, since=9.9)
    assert plan(view(*held, young)).stops == ()
    assert plan(view(*held, old)).stops == ("x",)
    assert plan(view(*held)).stops == ("x", "y")
    assert plan(view(*held, seen("l", "python", State.RETIRING))).stops == ("x",)
    assert plan(view(*held, young, now=11)).stops == ("x", "y", "z")


def test_a_held_container_makes_room() -> None:
    """At the maximum, before any that is ready."""
    full = replace(BOUNDS, containers=3)
    held, ready = seen("x", "python", State.HELD, since=9.99), seen("a", "python")
    assert plan(view(held, ready, seen("b", "python"), tickets="c", bounds=full)).stops == ("x",)
    young = seen("r", "python", State.RUNNING, since=9.99)
    assert plan(view(held, ready, young, tickets="cc", bounds=full)).stops == ("x", "a")


def test_a_crowd_is_served_before_anything_is_started_for_the_next() -> None:
    """In a rush, too: what begins now has ended in a moment."""
    young = seen("r", "python", State.RUNNING, since=9.96)
    assert plan(view(young, rush=3)).starts == ()


def test_a_live_run_holds_no_programs_place() -> None:
    """It waits for a person: it is served where all places are taken, and takes none."""
    busy = seen("x", "python", State.ENDING), seen("y", "python", State.RUNNING)
    waiting = (Ticket(0, "python"), Ticket(1, "python", live=True))
    todo = plan(replace(view(seen("a", "python"), seen("b", "python"), *busy), tickets=waiting))
    assert todo.handovers == ((1, "a"),)
    live = seen("x", "python", State.LIVE), seen("y", "python", State.LIVE)
    assert plan(view(seen("a", "python"), *live, tickets="p")).handovers == ((0, "a"),)


def test_nothing_is_started_ahead_of_need_while_all_cpus_are_taken_or_a_program_has_just_begun() -> None:
    """Refilling never starves running programs."""
    old, young = seen("x", "python", State.RUNNING), seen("y", "python", State.RUNNING, since=9.5)
    assert plan(view(old, seen("z", "python", State.ENDING))).starts == ()
    assert plan(view(young)).starts == ()
    assert plan(view(old)).starts == ("cpp",)
    assert plan(view(seen("a", "cpp", State.STARTING))).starts == ()


def test_in_a_rush_more_are_started_at_once() -> None:
    """When more are asked for in a second than may run at once; within the bounds."""
    busy = seen("x", "python", State.RUNNING, since=9.5), seen("y", "python", State.ENDING)
    assert plan(view(*busy, rush=2)).starts == ()
    assert plan(view(*busy, rush=3)).starts == ("cpp", "python")
    assert plan(view(*busy, rush=9)).starts == ("cpp", "python")
    assert plan(view(*busy, seen("a", "cpp", State.STARTING), rush=3)).starts == ("python",)


def test_nothing_is_started_for_those_at_the_end_of_the_line() -> None:
    """Their turn comes later, and those who run need the CPUs."""
    assert plan(view(tickets="pppppp", bounds=replace(BOUNDS, starting=3))).starts == ("python",) * 3
    coming = [seen(str(n), "python", State.STARTING) for n in range(2)] + [seen("i", "python")]
    busy = seen("x", "python", State.RUNNING), seen("y", "python", State.RUNNING)
    assert plan(view(*coming, *busy, tickets="pppppp", bounds=replace(BOUNDS, starting=3))).starts == ()


def test_an_idle_container_gives_way_to_a_language_that_is_asked_for() -> None:
    """At the maximum, one that nobody needs leaves first."""
    full = replace(BOUNDS, containers=2)
    todo = plan(view(seen("a", "python"), seen("b", "python"), tickets="c", bounds=full))
    assert (todo.starts, todo.stops) == ((), ("a",))
    again = plan(view(seen("a", "python", State.RETIRING), seen("b", "python"), tickets="c", bounds=full))
    assert (again.starts, again.stops) == ((), ())


def test_an_old_idle_container_leaves_when_a_new_one_is_there() -> None:
    """Renewed after its age, without a gap."""
    old, new, cpp = seen("old", "python"), seen("new", "python", since=150), seen("c", "cpp", since=150)
    assert plan(view(old, new, cpp, now=160)) == plan(view(new, old, cpp, now=160))
    todo = plan(view(old, new, cpp, now=160))
    assert (todo.starts, todo.stops) == (("python",), ())
    todo = plan(view(old, new, seen("newer", "python", since=155), cpp, now=160))
    assert (todo.starts, todo.stops) == ((), ("old",))


def test_a_start_ahead_of_need_waits_after_a_failure() -> None:
    """A request does not."""
    failed = {"python": Wanted(2, 1, 20), "cpp": Wanted(0, 1, 0)}
    assert plan(view(languages=failed)).starts == ()
    assert plan(view(tickets="p", languages=failed)).starts == ("python",)
