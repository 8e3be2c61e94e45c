"""The audit chain: whatever is done to a line is seen, and named."""

import json
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.record import chain
from runner.record.chain import GENESIS, Broken, Entry, Head, Line, Torn
from runner.record.summary import Summary

events = st.dictionaries(st.sampled_from(["event", "job", "client", "x"]), st.text(max_size=8), max_size=3)


def written(fields: Sequence[Mapping[str, object]], head: Head = GENESIS) -> list[bytes]:
    """The lines of a chain, without newlines."""
    lines = []
    for each in fields:
        data, head = chain.link(head, each)
        lines.append(data.removesuffix(b"\n"))
    return lines


def followed(lines: Sequence[bytes]) -> list[Entry | Torn | Broken]:
    """What is found in a file of these lines."""
    return list(chain.follow(Line("a", number, data) for number, data in enumerate(lines, 1)))


def broken(lines: Sequence[bytes]) -> str | None:
    """Where and how it does not hold."""
    last = followed(lines)[-1]
    return str(last) if isinstance(last, Broken) else None


@given(st.lists(events))
def test_what_is_written_holds(fields: list[dict[str, object]]) -> None:
    """Each entry has the fields that were given, in ASCII on one line."""
    lines = written(fields)
    assert [each.fields for each in followed(lines) if isinstance(each, Entry)] == fields
    assert all(line.isascii() and b"\n" not in line for line in lines)


@given(st.lists(events, min_size=1), st.integers(1, 10**6))
def test_a_chain_may_be_read_from_its_middle(fields: list[dict[str, object]], number: int) -> None:
    """Older files may have been put away."""
    assert broken(written(fields, Head(number, "a" * 64))) is None


chains = st.builds(written, st.lists(events, min_size=4, max_size=9))


@given(chains, st.data())
def test_a_changed_line_is_named(lines: list[bytes], data: st.DataObject) -> None:
    """Its fields, its number or its hash; the last line has nobody after it who would know."""
    index = data.draw(st.integers(0, len(lines) - 2))
    fields = json.loads(lines[index])
    fields[data.draw(st.sampled_from(["event", "new", "time"]))] = "changed"
    lines[index] = json.dumps(fields).encode()
    assert broken(lines) == f"a:{index + 1}: was changed"


@given(chains, st.data())
def test_a_changed_link_is_named(lines: list[bytes], data: st.DataObject) -> None:
    """What is said of the line before, and the line's own number."""
    index = data.draw(st.integers(1, len(lines) - 2))
    fields = json.loads(lines[index])
    changed = {**fields, "previous": "b" * 64}
    assert broken([*lines[:index], json.dumps(changed).encode(), *lines[index + 1 :]]) == f"a:{index + 1}: was changed"
    changed = {**fields, "number": fields["number"] + 7}
    said = broken([*lines[:index], json.dumps(changed).encode(), *lines[index + 1 :]])
    assert said == f"a:{index + 1}: was changed: its number is not the next"


@given(chains, st.data())
def test_removed_lines_are_counted(lines: list[bytes], data: st.DataObject) -> None:
    """At the place where they were."""
    first = data.draw(st.integers(1, len(lines) - 2))
    count = data.draw(st.integers(1, len(lines) - first - 1))
    words = "line is" if count == 1 else "lines are"
    assert broken(lines[:first] + lines[first + count :]) == f"a:{first + 1}: {count} {words} missing before it"


@given(chains, st.data(), st.booleans())
def test_an_inserted_line_is_named(lines: list[bytes], data: st.DataObject, forged: bool) -> None:
    """A copy of another line, or one that was made to fit the line before."""
    index = data.draw(st.integers(1, len(lines) - 2))
    if forged:
        before = json.loads(lines[index - 1])
        head = Head(before["number"], chain.digest(lines[index - 1]))
        extra = chain.link(head, {"event": "forged"})[0].removesuffix(b"\n")
    else:
        extra = lines[data.draw(st.integers(0, index - 1))]
    said = broken([*lines[:index], extra, *lines[index:]])
    assert said in (f"a:{index + 1}: was inserted", f"a:{index + 1}: was inserted: its number was there before")


def test_an_inserted_line_that_fits_nothing_is_named() -> None:
    """With the number of the next one, but not its link; or no entry at all."""
    lines = written([{"event": str(i)} for i in range(4)])
    forged = json.dumps({"number": 3, "previous": "c" * 64, "event": "x"}).encode()
    assert broken([*lines[:2], forged, *lines[2:]]) == "a:3: was inserted"
    assert broken([*lines[:2], b"nonsense", *lines[2:]]) == "a:3: was inserted"


@given(chains, st.data())
def test_a_line_out_of_order_is_named(lines: list[bytes], data: st.DataObject) -> None:
    """Where the first does not follow."""
    index = data.draw(st.integers(1, len(lines) - 2))
    later = data.draw(st.integers(index + 1, len(lines) - 1))
    lines.insert(later, lines.pop(index))
    said = f"a:{index + 1}: is out of order: entry {index + 1} comes later"
    assert broken(lines) == said


@pytest.mark.parametrize("line", [b"", b"nonsense", b"[]", b"1", b'{"number": 1}', b"\xff", b"[" * 100_000])
def test_what_is_no_entry_was_changed(line: bytes) -> None:
    """In the middle of a file, wherever."""
    lines = written([{"event": str(i)} for i in range(4)])
    assert broken([lines[0], line, *lines[2:]]) == "a:2: was changed: it is not an entry"
    assert broken([lines[0], line, line, *lines[3:]]) == "a:2: was changed: it is not an entry"
    assert chain.parse(Line("a", 1, b'{"number": true, "previous": "x"}')) is None


@given(chains, st.data())
def test_after_a_torn_line_the_chain_goes_on(lines: list[bytes], data: st.DataObject) -> None:
    """A power cut leaves a piece of a line; what comes after it says so, and names it."""
    whole = data.draw(st.integers(0, len(lines) - 2))
    torn = lines[whole][: data.draw(st.integers(1, len(lines[whole]) - 1))]
    more = written([{"event": "recovered", "torn": len(torn)}, {"event": "x"}], Head(whole, chain.digest(torn)))
    found = followed([*lines[:whole], torn, *more])
    assert [type(each) for each in found] == [Entry] * whole + [Torn, Entry, Entry]
    assert [type(each) for each in followed([*lines[:whole], torn])] == [Entry] * whole + [Torn]


def test_a_summary_counts() -> None:
    """Runs, endings, clients, refusals, the slowest, and what has not ended."""
    runs = [("a", "python", "10.0.0.1", 0.5), ("b", "cpp", "10.0.0.1", 1.5), ("c", "cpp", "10.0.0.2", None)]
    fields: list[dict[str, object]] = [{"event": "start", "time": "1"}, {"event": "started", "job": "d", "time": "2"}]
    for job, language, client, wall in runs:
        fields.append({"event": "started", "job": job, "time": "3"})
        ended = {"status": "success", "reason": "completed"} if wall else {"status": None, "reason": "abandoned"}
        more = {"job": job, "language": language, "client": client, "times": {"wall": wall} if wall else None}
        fields.append({"event": "ended", "time": "4", **ended, **more})
    fields[-1]["key"] = "alice"
    refused = {"event": "refused", "status": 429, "title": "Rate limit reached", "time": "5"}
    fields += [refused, {**refused, "count": 20}, {"event": "repeated", "time": "5"}, {"event": "resumed"}]
    fields += [{"event": "stop"}]
    fields[-2]["time"], fields[-1]["time"] = "5", "6"
    summary = Summary()
    for each in followed(written(fields)):
        assert isinstance(each, Entry)
        summary.add(each)
    assert summary.as_json() == {
        "entries": 13,
        "first": "1",
        "last": "6",
        "starts": 1,
        "stops": 1,
        "runs": 3,
        "languages": {"cpp": 2, "python": 1},
        "endings": {"success completed": 2, "no verdict abandoned": 1},
        "clients": {"10.0.0.1": 2, "10.0.0.2": 1},
        "keys": {"alice": 1},
        "repeated": 1,
        "refusals": {"429 Rate limit reached": 21},
        "slowest": [{"job": "b", "wall": 1.5}, {"job": "a", "wall": 0.5}, {"job": "c", "wall": 0.0}],
        "open": {"d": "2"},
    }
    assert list(summary.lines()) == [
        "13 entries from 1 to 6; 1 starts, 1 stops",
        "3 runs, 1 answers given again, 21 refusals",
        "runs by language: cpp 2, python 1",
        "runs by ending: success completed 2, no verdict abandoned 1",
        "runs by client: 10.0.0.1 2, 10.0.0.2 1",
        "runs by key: alice 1",
        "refusals: 429 Rate limit reached 21",
        "slowest: b 1.500 s, a 0.500 s, c 0.000 s",
        "not ended: d, begun 2: it goes on, or its server crashed",
    ]
    assert list(Summary().lines())[1:] == ["0 runs, 0 refusals"]


def test_a_summary_of_several_nodes() -> None:
    """Which ran how many; from the first to the last of them all, whatever their order."""
    summary = Summary()
    for name, hours in (("b", "35"), ("a", "24")):
        lines = written([{"event": "ended", "time": hour} for hour in hours])
        for each in chain.follow(Line(f"{name}/audit.jsonl", number, line) for number, line in enumerate(lines, 1)):
            assert isinstance(each, Entry)
            summary.add(each)
    assert (summary.first, summary.last, dict(summary.nodes)) == ("2", "5", {"b": 2, "a": 2})
    assert "runs by node: b 2, a 2" in list(summary.lines())
