"""What Prometheus may know: counted here, or read from the pool when it asks. No label is of a client's choosing."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from runner.sandbox.pool import Pool

PREFIX: Final = "code_runner"
SECONDS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


class Metrics:
    """The metrics of one application."""

    def __init__(self, pool: Pool) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_PoolCollector(pool))
        self._jobs = Counter(
            f"{PREFIX}_jobs", "Programs that were run.", ["language", "status", "reason"], registry=self._registry
        )
        self._seconds = Histogram(
            f"{PREFIX}_seconds",
            "Time of a job in the line, of its compilation, and of each of its runs.",
            ["language", "phase"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._problems = Counter(
            f"{PREFIX}_problems", "Requests that were refused or failed.", ["title"], registry=self._registry
        )

    def count(self, language: str | None, report: Mapping[str, Any] | None, problem: str | None) -> None:
        """One request: its problem, or its report as clients get it. ``language`` is a policy's name."""
        if problem:
            self._problems.labels(problem).inc()
        if not report:
            return
        self._jobs.labels(language, report["status"], report["reason"]).inc()
        times = dict(report["times"])
        walls = [run["times"]["wall"] for run in report["results"]] if "results" in report else [times.pop("wall")]
        seen = [("queued", times["queued"]), ("compile", times["compile"]), *(("wall", wall) for wall in walls)]
        for phase, seconds in seen:
            if seconds is not None:
                self._seconds.labels(language, phase).observe(seconds)

    def text(self) -> bytes:
        """All of them in Prometheus's text format."""
        return generate_latest(self._registry)


class _PoolCollector(Collector):
    """The pool as it is at this moment."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[Metric]:
        """Asked at each scrape."""
        yield GaugeMetricFamily(f"{PREFIX}_waiting", "Requests that wait for a container.", self._pool.waiting)
        containers = GaugeMetricFamily(f"{PREFIX}_containers", "Containers.", labels=["language", "state"])
        for (language, state), number in self._pool.containers().items():
            containers.add_metric([language, state.value], number)
        yield containers
        for name, told in (
            ("hits", "Requests for which a container was ready."),
            ("misses", "Requests that had to wait for a container."),
            ("failures", "Containers that did not start, or died before they were used."),
        ):
            family = CounterMetricFamily(f"{PREFIX}_{name}", told, labels=["language"])
            for language, demand in self._pool.demand.items():
                family.add_metric([language], getattr(demand, name))
            yield family
