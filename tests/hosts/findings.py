"""What the commands in a host printed, read; and the table of it all. Pure."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.bench.report import Table

HEAD: Final = (
    *("host", "engine", "runtime", "cgroup", "modules", "commands", "doctor", "verify", "attacks"),
    *("engine killed", "left", "compose", "unit", "power cut", "tests"),
)
NOT_TRIED: Final = "not tried"


def engine(text: str) -> dict[str, str]:
    """The columns that `docker info` in JSON fills."""
    info = _json(text)
    if not isinstance(info, dict) or not (version := info.get("ServerVersion")):
        return {}
    modules = [str(each).split(",")[0].removeprefix("name=") for each in info.get("SecurityOptions") or ()]
    return {
        "engine": str(version),
        "runtime": str(info.get("DefaultRuntime")),
        "cgroup": f"v{info.get('CgroupVersion')}, {info.get('CgroupDriver')}",
        "modules": " ".join(name for name in modules if name != "cgroupns") or "none",
    }


def doctor(text: str) -> tuple[str, list[str]]:
    """How many of each level; and what is not well, in its words."""
    found = _json(text)
    if not isinstance(found, list):
        return f"no report: {_last(text)}", []
    levels = Counter(each["level"] for each in found)
    told = [f"{each['level']} {each['check']}: {each['said']}" for each in found if each["level"] != "PASS"]
    return ", ".join(f"{levels[level]} {level}" for level in ("PASS", "CAUTION", "FAIL") if levels[level]), told


def verified(text: str) -> tuple[str, list[str]]:
    """Claims proved of all that can be observed, a language after the other; and those that are not."""
    found = _json(text)
    if not isinstance(found, list):
        return f"no proof: {_last(text)}", []
    seen = [(each["language"], each["proved"], len(each["rows"]) - len(each["no_observer"])) for each in found]
    sums = ", ".join(f"{language} {proved} of {all_of_them}" for language, proved, all_of_them in seen)
    kinds = ("failed", "not_observed")
    open_ones = [f"{each['language']} {kind}: {claim}" for each in found for kind in kinds for claim in each[kind]]
    return sums, open_ones


def held(text: str) -> tuple[str, list[str]]:
    """What pytest's summaries say: tests that held of all, and each that did not."""
    ends = re.findall(r"(?m)^[= ]*(\d+ [^=\n]*) in [\d.]+s\b.*$", text)
    counts: Counter[str] = Counter()
    for number, word in re.findall(r"(\d+) (passed|failed|errors?)\b", " ".join(ends)):
        counts[word] += int(number)
    if not counts:
        return f"no end: {_last(text)}", []
    failed = re.findall(r"(?m)^(?:FAILED|ERROR) \S+?::(.*)$", text)
    return f"{counts['passed']} of {counts.total()}", [line[:300] for line in failed]


def codes(text: str) -> str:
    """The answers of those that asked meanwhile, by their status."""
    counted = sorted(Counter(text.split()).items())
    return ", ".join(f"{count} x {code}" for code, count in counted) or "no answer"


def table(rows: Sequence[Mapping[str, str]], day: str) -> Table:
    """A line a host."""
    cells = tuple(tuple(row.get(name, NOT_TRIED) for name in HEAD) for row in rows)
    return Table(f"Hosts, {day}", HEAD, cells)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:200] if lines else "nothing was said"
