"""What other hosts say is read as it is meant; no host is booted here."""

import io
import json
import tarfile

from tests.bench.report import text
from tests.harness import stretched
from tests.hosts import findings
from tests.hosts.asking import Asked, keys, told
from tests.hosts.kinds import HOSTS
from tests.hosts.longer import archive, longer

INFO = {
    "ServerVersion": "26.1.5+dfsg1",
    "DefaultRuntime": "runc",
    "CgroupVersion": "2",
    "CgroupDriver": "systemd",
    "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"],
}


def test_an_engine_says_what_it_is() -> None:
    """Its columns; an engine that does not answer has none."""
    assert findings.engine(json.dumps(INFO)) == {
        "engine": "26.1.5+dfsg1",
        "runtime": "runc",
        "cgroup": "v2, systemd",
        "modules": "apparmor seccomp",
    }
    assert findings.engine(json.dumps({"ServerErrors": ["Cannot connect"]})) == {}
    assert findings.engine("Cannot connect to the Docker daemon") == {}


def test_the_doctor_is_heard() -> None:
    """Each level is counted, and what is not well is told."""
    report = [
        {"check": "engine", "level": "PASS", "said": "Docker 26", "remedy": ""},
        {"check": "start", "level": "FAIL", "said": "a container did not start", "remedy": "see"},
    ]
    assert findings.doctor(json.dumps(report)) == ("1 PASS, 1 FAIL", ["FAIL start: a container did not start"])
    assert findings.doctor("first\nno such file\n") == ("no report: no such file", [])


def test_proofs_are_counted() -> None:
    """All claims are those that there are; each that is open is named."""
    part = {"language": "python", "proved": 2, "failed": ["--init"], "not_observed": [], "no_observer": ["--rm"]}
    assert findings.verified(json.dumps([part | {"rows": [{}, {}, {}, {}]}])) == (
        "python 2 of 3",
        ["python failed: --init"],
    )
    assert findings.verified("") == ("no proof: nothing was said", [])


def test_attacks_are_counted() -> None:
    """An error is an attack that did not hold; an end without a sum is told."""
    said = "FAILED tests/runs/test_attacks.py::test_x[spin.py] - assert 3 < 2\n1 failed, 2 passed, 1 error in 9.00s\n"
    assert findings.held(said) == ("2 of 4", ["test_x[spin.py] - assert 3 < 2"])
    assert findings.held("107 passed in 900.12s (0:15:00)") == ("107 of 107", [])
    assert findings.held("killed") == ("no end: killed", [])


def test_the_sums_of_all_of_a_commands_tests_are_one() -> None:
    """As `make test` has two."""
    said = "== 4457 passed in 947.71s (0:15:47) ==\n9.5s setup tests/x.py\n1 passed, 9 deselected in 15.76s\n"
    assert findings.held(said) == ("4458 of 4458", [])


def test_a_table_says_what_was_not_tried() -> None:
    """A host that does not boot has a line all the same."""
    shown = text(findings.table([{"host": "sid", "verify": "python 37 of 37"}], "2026-11-25"))
    assert "Hosts, 2026-11-25" in shown
    assert "python 37 of 37" in shown
    assert findings.NOT_TRIED in shown
    assert findings.codes("200\n503\n200\n") == "2 x 200, 1 x 503"
    assert findings.codes("") == "no answer"


def test_every_host_has_a_name_of_its_own() -> None:
    """By which it is asked for; a disk is shared by those of one suite and architecture alone."""
    assert len({host.name for host in HOSTS}) == len(HOSTS)
    kinds = {(host.suite, host.architecture) for host in HOSTS}
    assert len({host.disk for host in HOSTS}) == len(kinds)


def test_a_stretched_policy_has_only_more_time() -> None:
    """No other limit is another one; time that is none stays none."""
    policy = "wall-time    = 2.0    # seconds\ncompile-time = 0\nlive-time = 60.0\nsource = 65536\n"
    longer = "wall-time    = 12    # seconds\ncompile-time = 0\nlive-time = 60.0\nsource = 65536\n"
    assert stretched(policy, 6) == longer
    assert stretched(policy, 1) == policy


def test_bounds_are_longer_and_limits_are_not() -> None:
    """What the engine may take is multiplied; what a program may take is not, nor what another API says of it."""
    assert (
        longer("runner/sandbox/process.py", "COMMAND_TIME = 10.0\nREAD = 10.0\n", 10)
        == "COMMAND_TIME = 100.0\nREAD = 10.0\n"
    )
    assert longer("runner/proof/x.py", "END_TIME: Final = 10.0\n", 2) == "END_TIME: Final = 20.0\n"
    assert longer("runner/apis/jobe.py", "CPU_TIME: Final = 5.0\n", 10) == "CPU_TIME: Final = 5.0\n"
    assert (
        longer("policies/server.toml", "waiting-time = 10.0  # s\nlive = 8\n", 10)
        == "waiting-time = 100.0  # s\nlive = 8\n"
    )
    assert longer("policies/server.toml", "waiting-time = 60.0\n", 30) == "waiting-time = 600.0\n"
    assert longer("policies/python.toml", "wall-time    = 2.0\n", 10) == "wall-time    = 2.0\n"
    stack = "r.urlopen(url, timeout=5)\ntimeout: 10s\ndelay: 30s\n"
    assert (
        longer("images/server/stack.yaml", stack, 10) == "r.urlopen(url, timeout=50.0)\ntimeout: 100.0s\ndelay: 30s\n"
    )


def test_an_archive_keeps_what_it_is() -> None:
    """Names, modes and links; only what is written in those files is another."""
    packed = io.BytesIO()
    files = {"runner/runs/a.py": b"AWAY_TIME = 0.5\n", "images/launch": b"\xff TIME = 1.0\n"}
    with tarfile.open(fileobj=packed, mode="w") as made:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            made.addfile(member, io.BytesIO(content))
    with tarfile.open(fileobj=io.BytesIO(archive(packed.getvalue(), 10))) as found:
        read = {member.name: (member.mode, found.extractfile(member)) for member in found}
        texts = {name: (mode, content.read() if content else b"") for name, (mode, content) in read.items()}
    assert texts == {
        "runner/runs/a.py": (0o755, b"AWAY_TIME = 5.0\n"),
        "images/launch": (0o755, files["images/launch"]),
    }


def test_what_clients_heard_is_counted() -> None:
    """Why they asked again; and whoever had no answer stands there."""
    gone = "502 Server gone, Retry-After: 1.0"
    asked = [Asked((), ""), Asked(((gone, 2.0), (gone, 150.4)), ""), Asked((), "0 The server does not answer")]
    assert told(asked) == [
        "3 runs: 2 with the right answer, 1 asked again",
        f"2 x {gone}, after 2 to 150 s",
        "no answer: 0 The server does not answer",
    ]


def test_what_has_one_key_is_counted() -> None:
    """Begun on one node and lost, begun and completed on another; a line that was cut short is none."""
    entries: list[dict[str, object]] = [
        {"event": "started", "job": "a", "idempotency_key": "1"},
        {"event": "started", "job": "b", "idempotency_key": "1"},
        {"event": "ended", "job": "b", "reason": "completed"},
        {"event": "started", "job": "c", "idempotency_key": None},
        {"event": "started", "job": "d", "idempotency_key": "2"},
        {"event": "ended", "job": "d", "reason": "completed"},
    ]
    lines = [*(json.dumps(entry) for entry in entries), '{"event":"sta']
    assert keys(lines) == "2 keys: 1 begun more than once; 2 completed 1 time"
