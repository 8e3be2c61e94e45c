"""What the entries of an audit file add up to. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runner.record.chain import Entry

SLOWEST: Final = 5
CLIENTS: Final = 10


def node(file: str) -> str:
    """Whose file this is: a node's are in a folder of its own."""
    return file.rpartition("/")[0] or "."


@dataclass(slots=True)
class Summary:
    """Of one chain, or of several: their folders are the nodes.

    Grows with the nodes, languages, endings, clients and keys that there are, and with the runs that have not ended.
    """

    entries: int = 0
    first: str = ""
    last: str = ""
    starts: int = 0
    stops: int = 0
    nodes: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    clients: Counter[str] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)
    """Of the runs that somebody has asked for with a key."""
    repeated: int = 0
    """Answers that were given again, and not run."""
    refusals: Counter[str] = field(default_factory=Counter)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    open: dict[str, str] = field(default_factory=dict)
    """Runs that began and have not ended, with the time of their beginning: the server crashed, or they go on."""

    def add(self, entry: Entry) -> None:
        """One more entry."""
        fields = entry.fields
        self.entries += 1
        time = str(fields.get("time"))
        self.first, self.last = min(self.first or time, time), max(self.last, time)
        match fields.get("event"):
            case "start":
                self.starts += 1
            case "stop":
                self.stops += 1
            case "refused":
                self.refusals[f"{fields.get('status')} {fields.get('title')}"] += fields.get("count", 1)
            case "repeated":
                self.repeated += 1
            case "started":
                self.open[str(fields.get("job"))] = time
            case "ended":
                self.nodes[node(entry.line.file)] += 1
                self._end(fields)

    def _end(self, fields: Mapping[str, Any]) -> None:
        self.open.pop(str(fields.get("job")), None)
        self.languages[str(fields.get("language"))] += 1
        self.endings[f"{fields.get('status') or 'no verdict'} {fields.get('reason')}"] += 1
        self.clients[str(fields.get("client"))] += 1
        if key := fields.get("key"):
            self.keys[str(key)] += 1
        wall = (fields.get("times") or {}).get("wall") or 0.0
        self.slowest = sorted([*self.slowest, (wall, str(fields.get("job")))], reverse=True)[:SLOWEST]

    def as_json(self) -> dict[str, Any]:
        """For a program to read."""
        return {
            "entries": self.entries,
            "first": self.first,
            "last": self.last,
            "starts": self.starts,
            "stops": self.stops,
            "runs": self.languages.total(),
            "languages": dict(self.languages.most_common()),
            "endings": dict(self.endings.most_common()),
            "clients": dict(self.clients.most_common(CLIENTS)),
            "keys": dict(self.keys.most_common()),
            "repeated": self.repeated,
            "refusals": dict(self.refusals.most_common()),
            "slowest": [{"job": job, "wall": wall} for wall, job in self.slowest],
            "open": self.open,
        }

    def lines(self) -> Iterator[str]:
        """For a person to read."""
        yield f"{self.entries} entries from {self.first} to {self.last}; {self.starts} starts, {self.stops} stops"
        again = f", {self.repeated} answers given again" if self.repeated else ""
        yield f"{self.languages.total()} runs{again}, {self.refusals.total()} refusals"
        for title, counter in (
            ("runs by node", self.nodes if len(self.nodes) > 1 else Counter[str]()),
            ("runs by language", self.languages),
            ("runs by ending", self.endings),
            ("runs by client", self.clients),
            ("runs by key", self.keys),
            ("refusals", self.refusals),
        ):
            if counter:
                yield f"{title}: " + ", ".join(f"{name} {count}" for name, count in counter.most_common(CLIENTS))
        if self.slowest:
            yield "slowest: " + ", ".join(f"{job} {wall:.3f} s" for wall, job in self.slowest)
        for job, time in self.open.items():
            yield f"not ended: {job}, begun {time}: it goes on, or its server crashed"
