"""What the audit file says of a run, and what is said of a policy: facts and reasons, never a program's text."""

import hashlib
import json
import shlex
from dataclasses import replace
from typing import Any

import pytest

from runner.errors import ForbiddenLanguage
from runner.policy import argv, configuration, explain, rates
from runner.policy.flags import FLAGS, SECCOMP
from runner.policy.keys import ApiKey
from runner.policy.policy import Policy
from runner.runs import entries
from runner.runs.client import Client
from runner.runs.result import Result, decide
from runner.sandbox.job import Facts, File, Job, Observed, Output
from runner.sandbox.protocol import Ending, Step

POLICIES = configuration.load().policies
PYTHON, CPP = POLICIES["python"], POLICIES["cpp"]
CLIENT = Client("192.0.2.1")
ALICE = ApiKey("alice", "a" * 64, rates.parse("1 per day"), None)
SECRET = b"print('secret')"


def observed(step: Step, ending: Ending | None, seconds: float = 0.5) -> Observed:
    """A step that wrote three bytes to stdout, and two more that were dropped."""
    return Observed(step, Output(b"abc", 2), Output(b"", 0), ending, timed_out=ending is None, seconds=seconds)


def result(*steps: Observed, language: str = "python") -> Result:
    """As the service has it."""
    return decide(Facts("job-1", 0.25, steps, ("docker", "run")), POLICIES[language])


def test_a_start_has_hashes_and_sizes() -> None:
    """Of the source and of each input."""
    beside: dict[str, Any] = {
        "files": (File("secret.txt", b"secret"),),
        "args": (b"secret",),
        "env": (("MODE", b"secret"),),
    }
    job = replace(Job("python", SECRET, (b"", b"input"), several=True), **beside)
    fields = entries.started(job, PYTHON, name="job-1", argv=("docker", "run"), image="sha256:1", client=CLIENT)
    assert fields == {
        "job": "job-1",
        "client": "192.0.2.1",
        "api": "run",
        "key": None,
        "language": "python",
        "policy": PYTHON.digest,
        "profile": PYTHON.profile,
        "image": "sha256:1",
        "argv": ["docker", "run"],
        "source": {"sha256": hashlib.sha256(SECRET).hexdigest(), "size": 15},
        "inputs": [
            {"sha256": hashlib.sha256(b"").hexdigest(), "size": 0},
            {"sha256": hashlib.sha256(b"input").hexdigest(), "size": 5},
        ],
        "files": [{"sha256": hashlib.sha256(b"secret.txt\0secret").hexdigest(), "size": 17}],
        "args": [{"sha256": hashlib.sha256(b"secret").hexdigest(), "size": 6}],
        "env": [{"sha256": hashlib.sha256(b"MODE=secret").hexdigest(), "size": 11}],
        "idempotency_key": None,
    }
    assert "secret" not in json.dumps(fields)


def test_an_answer_that_is_given_again() -> None:
    """Who got it, of which run, and by which key, which its start has, too."""
    job = Job("python", SECRET, (b"",), idempotency_key="e" * 64)
    started = entries.started(job, PYTHON, name="job-1", argv=(), image=None, client=CLIENT)
    again = entries.repeated("job-1", job, CLIENT)
    assert again.items() <= started.items()
    assert again["idempotency_key"] == "e" * 64


def test_a_key_is_named() -> None:
    """At the start and at each kind of end."""
    client = replace(CLIENT, held=ALICE)
    job = Job("python", SECRET, (b"",))
    lines = [
        entries.started(job, PYTHON, name="job-1", argv=(), image=None, client=client),
        entries.ended(result(observed(Step.RUN, Ending(0, None, 0.5, 0.1, 4096, 0, ()))), client),
        entries.lost("job-1", PYTHON, client, "abandoned"),
    ]
    assert [line["key"] for line in lines] == ["alice"] * 3


def test_who_asks_may_run_what_their_key_is_for() -> None:
    """Whoever has no key, and a key that is for every language, may run any."""
    CLIENT.check("python")
    replace(CLIENT, held=ALICE).check("python")
    some = replace(CLIENT, held=replace(ALICE, languages=frozenset({"python", "cpp"})))
    some.check("cpp")
    with pytest.raises(ForbiddenLanguage, match=r"^The key alice may not run bash; it is for cpp, python\.$"):
        some.check("bash")


def test_a_key_is_one_client() -> None:
    """Whatever its address; and no address has the form of a key's identity."""
    assert (CLIENT.identity, CLIENT.key) == ("192.0.2.1", None)
    assert {Client(address, held=ALICE).identity for address in ("192.0.2.1", "192.0.2.2")} == {"key:alice"}


def test_an_end_has_the_verdict() -> None:
    """Of all runs together; what was written is a size."""
    good = Ending(0, None, 0.5, 0.1, 4096, 0, ())
    fields = entries.ended(result(observed(Step.RUN, replace(good, exit_code=3))), CLIENT, "f" * 64)
    assert fields == {
        "job": "job-1",
        "client": "192.0.2.1",
        "api": "run",
        "key": None,
        "language": "python",
        "status": "runtime_error",
        "reason": "output_limit",
        "runs": 1,
        "exit_code": None,
        "signal": None,
        "times": {"queued": 0.25, "compile": None, "wall": 0.5, "cpu": 0.1},
        "live_input": "f" * 64,
        "peak_memory": 4096,
        "stdout": 5,
        "stderr": 0,
        "results": [],
    }
    steps = (observed(Step.COMPILE, good), observed(Step.RUN, Ending(None, 11, 0.5, None, None, None, ())))
    whole = (steps[0], replace(steps[1], stdout=Output(b"abc", 0)))
    fields = entries.ended(result(*whole, language="cpp"), CLIENT)
    assert (fields["times"]["compile"], fields["signal"], fields["live_input"]) == (0.5, "SIGSEGV", None)
    fields = entries.ended(result(observed(Step.RUN, None)), CLIENT)
    assert (fields["exit_code"], fields["peak_memory"], fields["times"]["cpu"]) == (None, None, None)


def test_a_run_that_was_lost_says_why() -> None:
    """It has an end, too."""
    lost = entries.lost("job-1", PYTHON, CLIENT, "abandoned")
    assert lost == {
        "job": "job-1",
        "client": "192.0.2.1",
        "api": "run",
        "key": None,
        "language": "python",
        "status": None,
        "reason": "abandoned",
    }


def test_a_start_of_the_service_has_what_it_serves() -> None:
    """Digests and waivers, and an image that was not found."""
    waived = replace(PYTHON, waivers={"--read-only": "for a test"})
    fields = entries.service("main", {"python": waived}, {})
    told = {"policy": PYTHON.digest, "profile": PYTHON.profile, "image": None, "waivers": {"--read-only": "for a test"}}
    assert fields == {"instance": "main", "policies": {"python": told}}


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.name)
def test_a_policy_is_explained_line_by_line(policy: Policy) -> None:
    """Each line with the row of its flag; seccomp and no-new-privileges are two things."""
    said = explain.policy(policy, "main")
    assert said["command"] == list(argv.run(policy, argv.NAME_PLACEHOLDER, argv.UID_PLACEHOLDER, "main"))
    assert [flag["line"] for flag in said["flags"]] == list(policy.docker_run)
    for flag in said["flags"]:
        row = SECCOMP if "seccomp=" in flag["line"] else FLAGS[flag["line"].partition("=")[0]]
        assert (flag["why"], flag["without"], flag["sources"]) == (row.why, row.without, row.sources)
    assert said["profile"] == f"sha256:{policy.profile}"
    assert explain.policy(replace(policy, profile=""), "main")["profile"] is None


def test_the_text_has_the_command_in_its_order() -> None:
    """And reasons below the flags that have some."""
    lines = list(explain.text(PYTHON, "main"))
    assert [line for line in lines if line[0] not in "# "] == explain.policy(PYTHON, "main")["command"]
    assert "    asked:   CIS 5.4; OWASP #3; NIST 4.4.3" in lines


def test_the_line_for_a_shell_is_the_command() -> None:
    """Quoted, after what feeds it."""
    program, _, command = explain.shell(CPP, "job-1", 7).partition(" | ")
    assert shlex.split(command) == list(argv.run(CPP, "job-1", 7, "shown"))
    assert "wc -c <main.cpp" in program
