"""The audit file of the real server: complete, chained, and nothing runs without it."""

import asyncio
import fcntl
import hashlib
import json
import os
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.errors import AuditError
from runner.policy import argv, configuration
from runner.record.audit import Audit, AuditFile, now
from runner.record.refusals import KINDS, Kind, Refusals
from tests.commands.test_cli import runner
from tests.harness import FOREVER, ROOT, Server, audited, copy_policies, eventually, serving

HELLO = {"language": "python", "code": "print('hello', input())", "input": "you"}


def entries(path: Path) -> list[dict[str, Any]]:
    """What the file says."""
    return [json.loads(line) for line in path.read_text().splitlines()]


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[Path]:
    """A tmpfs of its own."""
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def test_a_run_leaves_two_lines_and_a_refusal_one(engine: None, tmp_path: Path) -> None:
    """Who ran what, with which command, and how it ended; hashes and sizes, never the text."""
    with serving(tmp_path) as server:
        answer = server.post(HELLO).json()
        assert server.post({"language": "python"}).status_code == 400
        assert server.get("/nowhere?secret=1").status_code == 404
    file = tmp_path / "audit.jsonl"
    lines = entries(file)
    assert [line["event"] for line in lines] == ["start", "started", "ended", "refused", "refused", "stop"]
    start, started, ended, bad, lost, _ = lines
    config = configuration.load(tmp_path / "policies")
    python = config.policies["python"]
    digests = {"policy": python.digest, "profile": python.profile}
    assert start["policies"]["python"] == {**digests, "image": started["image"], "waivers": {}}
    assert started["image"].startswith("sha256:")
    user = next(word for word in started["argv"] if word.startswith("--user="))
    uid = user.partition(":")[2]
    assert started["argv"] == list(argv.run(python, answer["id"], uid, server.instance))
    assert started["source"] == {"sha256": hashlib.sha256(HELLO["code"].encode()).hexdigest(), "size": 23}
    assert started["inputs"] == [{"sha256": hashlib.sha256(b"you").hexdigest(), "size": 3}]
    same = {"job": answer["id"], "client": "127.0.0.1", "language": "python"}
    assert started.items() >= {**same, "policy": python.digest}.items()
    assert ended.items() >= {**same, "status": "success", "reason": "completed", "exit_code": 0, "stdout": 10}.items()
    assert ended["times"]["wall"] > 0
    assert ended["peak_memory"] > 0
    assert (bad["status"], bad["title"], bad["path"], bad["client"]) == (400, "Bad request", "/run", "127.0.0.1")
    assert (lost["status"], lost["path"]) == (404, "/nowhere")
    assert "hello" not in file.read_text()
    report = audited(file)
    assert (report["runs"], report["open"], report["starts"], report["stops"]) == (1, {}, 1, 1)
    code, out, _ = runner("audit", str(file), "--find", answer["id"])
    assert (code, out.count('"job"')) == (0, 2)
    assert runner("audit", str(file), "--find", "job-0") == (1, "there is no job job-0\n", "")


def test_a_run_without_a_verdict_has_an_end_too(engine: None, tmp_path: Path) -> None:
    """Its client left, or the server was told to stop."""
    with serving(tmp_path, stop_time=0) as server:
        body = json.dumps(FOREVER).encode()
        head = b"POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(head % len(body) + body)
            assert eventually(lambda: '"started"' in (tmp_path / "audit.jsonl").read_text())
        assert eventually(lambda: "abandoned" in (tmp_path / "audit.jsonl").read_text())
    ended = [line["reason"] for line in entries(tmp_path / "audit.jsonl") if line["event"] == "ended"]
    assert ended == ["abandoned"]
    assert audited(tmp_path / "audit.jsonl")["open"] == {}


def test_a_client_that_leaves_while_its_start_is_written_has_an_end(engine: None, tmp_path: Path) -> None:
    """Here the file is held by another process for that long: a line that was begun is written, and so is its end."""
    file = tmp_path / "audit.jsonl"
    with serving(tmp_path) as server:
        assert server.post(HELLO).status_code == 200
        # The next one is not to wait for a container, but for the file.
        assert eventually(lambda: server.metrics()["containers", "python", "idle"] == 1, 20)
        with file.open("rb") as held, socket.create_connection(("127.0.0.1", server.port)) as client:
            fcntl.flock(held, fcntl.LOCK_EX)
            body = json.dumps(HELLO).encode()
            head = "POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
            client.sendall(f"{head}{len(body)}\r\n\r\n".encode() + body)
            assert eventually(lambda: server.running() == 1)
            client.close()
            time.sleep(0.3)
        assert eventually(lambda: "abandoned" in file.read_text())
    assert (audited(file)["runs"], audited(file)["open"]) == (2, {})


def test_a_server_that_was_killed_leaves_its_runs_open(engine: None, tmp_path: Path) -> None:
    """That is how a crash is seen; the next server goes on with the chain."""
    file = tmp_path / "audit.jsonl"
    with serving(tmp_path) as server, ThreadPoolExecutor(1) as client:
        answer = client.submit(server.post, FOREVER)
        assert eventually(lambda: '"started"' in file.read_text())
        server.stop(9)
        assert isinstance(answer.exception(), httpx.HTTPError)
        assert eventually(lambda: not server.containers(), 20)
    [job] = audited(file)["open"]
    text = runner("audit", str(file))[1]
    assert f"not ended: {job}, begun 20" in text
    (tmp_path / "next").mkdir()
    with serving(tmp_path / "next", audit_file=str(file)) as server:
        server.post(HELLO)
    report = audited(file)
    assert (report["starts"], report["stops"], report["runs"], list(report["open"])) == (2, 1, 1, [job])


def test_what_cannot_be_recorded_is_not_run(engine: None, tmp_path: Path) -> None:
    """On a disk that is almost full: a 503 that says why, no program; and all is well when there is room again."""
    with small_disk(tmp_path / "disk", "4m") as disk:
        file = disk / "audit.jsonl"
        with serving(tmp_path, audit_file=str(file)) as server:
            assert server.post(HELLO).status_code == 200
            (disk / "fill").write_bytes(b"x" * 3_500_000)
            for _ in range(2):
                answer = server.post(HELLO)
                assert (answer.status_code, answer.json()["title"]) == (503, "Not recorded")
                assert answer.json()["detail"].startswith("The audit file cannot be written")
                assert answer.headers["retry-after"] == "5"
            ready = server.get("/ready")
            assert (ready.status_code, ready.json()["title"]) == (503, "Not ready")
            assert ready.json()["detail"].startswith("the audit file cannot be written: nothing runs unrecorded")
            (disk / "fill").unlink()
            assert server.post(HELLO).status_code == 200
            time.sleep(1)  # a readiness answer is given again for a second
            assert server.get("/ready").status_code == 200
        report = audited(file)
        assert (report["runs"], report["open"], report["torn"]) == (2, {}, 0)


def test_an_end_that_cannot_be_written_is_owed(engine: None, tmp_path: Path) -> None:
    """The program has run by then: its answer goes out, and its end is the next line when that can be written."""
    file = tmp_path / "audit.jsonl"
    with serving(tmp_path) as server, ThreadPoolExecutor(1) as client:
        answer = client.submit(server.post, {"language": "python", "code": "import time; time.sleep(1)"})
        assert eventually(lambda: '"started"' in file.read_text())
        limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        few = file.stat().st_size + 50  # bytes: the line is begun and cannot be finished
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (few, limits[1]))
        assert answer.result().status_code == 200
        assert '"ended"' not in file.read_text()
        assert file.read_bytes().endswith(b"\n")  # no half a line
        assert server.post(HELLO).status_code == 503
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)
        assert server.post(HELLO).status_code == 200
    report = audited(file)
    assert (report["runs"], report["open"], report["torn"]) == (2, {}, 0)


def test_a_file_that_is_moved_away_is_followed_by_another(engine: None, tmp_path: Path) -> None:
    """Under load, as logrotate does it: no line is lost, and the chain goes through all files."""
    file = tmp_path / "audit.jsonl"
    with serving(tmp_path) as server, ThreadPoolExecutor(4) as clients:
        answers = [clients.submit(server.post, HELLO) for _ in range(24)]
        for number in range(3):
            size = len(list(tmp_path.glob("audit.jsonl*")))
            assert eventually(lambda: file.exists() and file.read_text().count('"ended"') > 1, 30), size
            file.rename(tmp_path / f"audit.jsonl.{number}")
        assert [answer.result().status_code for answer in answers] == [200] * 24
    report = audited(*tmp_path.glob("audit.jsonl*"))
    assert (report["runs"], report["open"]) == (24, {})
    subprocess.run(["gzip", tmp_path / "audit.jsonl.1"], check=True)
    assert audited(*tmp_path.glob("audit.jsonl*"))["runs"] == 24
    (tmp_path / "audit.jsonl.1.gz").unlink()
    code, out, _ = runner("audit", *map(str, tmp_path.glob("audit.jsonl*")))
    assert (code, f"BROKEN: {tmp_path}/audit.jsonl.2:1: " in out, "missing before it" in out) == (1, True, True)


def test_several_nodes_are_read_together(tmp_path: Path) -> None:
    """A folder and a chain each, rotated or not; what is broken is named with its node, and the others hold."""
    for name, runs in (("node1", 1), ("node2", 2)):
        (tmp_path / name).mkdir()
        for number in range(runs):
            file = AuditFile(tmp_path / name / "audit.jsonl")
            file.append({"time": now(), "event": "started", "job": f"{name}-{number}"})
            file.append({"time": now(), "event": "ended", "job": f"{name}-{number}", "language": "python"})
            file.close()
            (tmp_path / name / "audit.jsonl").rename(tmp_path / name / f"audit.jsonl.{number}")
    nodes = [str(tmp_path / name) for name in ("node1", "node2")]
    code, out, err = runner("audit", *nodes)
    assert (code, err) == (0, "")
    said = [re.sub(r"[0-9a-f]{64}", "X", line) for line in out.splitlines()]
    assert said[:4] == [
        f"{nodes[0]}: the chain holds; its head is X",
        f"{nodes[0]}: 1 runs, 0 refusals, 0 not ended",
        f"{nodes[1]}: the chain holds; its head is X",
        f"{nodes[1]}: 2 runs, 0 refusals, 0 not ended",
    ]
    assert {"3 runs, 0 refusals", f"runs by node: {nodes[1]} 2, {nodes[0]} 1"} <= {*said}
    changed = tmp_path / "node2" / "audit.jsonl.1"
    changed.write_text(changed.read_text().replace("node2-1", "node2-9", 1))
    code, out, _ = runner("audit", *map(str, tmp_path.glob("node*/*")), "--json")
    report = json.loads(out)
    assert (code, report["head"], report["nodes"][nodes[0]]["broken"]) == (1, None, None)
    assert report["broken"] == report["nodes"][nodes[1]]["broken"] == f"{changed}:1: was changed"
    code, out, _ = runner("audit", *nodes, "--find", "node1-0")
    assert (code, f'"where": "{nodes[0]}/audit.jsonl.0:2"' in out) == (1, True)
    (tmp_path / "empty").mkdir()
    none = f"{tmp_path}/empty: there is no *.jsonl* in this folder.\n"
    assert runner("audit", str(tmp_path / "empty")) == (2, "", none)


def test_a_server_and_the_command_share_a_file(engine: None, tmp_path: Path) -> None:
    """And one chain."""
    program = tmp_path / "program.py"
    program.write_text("print(1)")
    with serving(tmp_path) as server, ThreadPoolExecutor(3) as clients:
        words = ("--policies", str(tmp_path / "policies"), "run", "python", str(program))
        answers = [clients.submit(server.post, HELLO) for _ in range(8)]
        command = clients.submit(runner, *words)
        assert [answer.result().status_code for answer in answers] == [200] * 8
        assert command.result()[0] == 0
    report = audited(tmp_path / "audit.jsonl")
    assert (report["runs"], report["clients"], report["open"]) == (9, {"127.0.0.1": 8, "cli": 1}, {})


def test_a_file_that_cannot_be_written_stops_the_start(engine: None, tmp_path: Path) -> None:
    """With one line that says what to mend."""
    folder = copy_policies(tmp_path, {"audit-file": str(tmp_path / "none" / "audit.jsonl")}, {})
    command = [sys.executable, str(ROOT / "server.py"), f"--policies={folder}"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    said = f"server.toml: audit-file: {tmp_path}/none/audit.jsonl cannot be written (No such file or directory)"
    [line, last] = ended.stderr.splitlines()
    assert (ended.returncode, last) == (1, "The server does not start: see above.")
    assert line.startswith(f"FAIL    audit: the audit file cannot be written: {said}. Remedy: ")


def test_an_audit_file_of_the_server_is_private(server: Server) -> None:
    """It names clients."""
    path = server.log.parent / "audit.jsonl"
    assert oct(path.stat().st_mode & 0o777) == "0o640"


def test_a_flood_of_refusals_is_counted(engine: None, tmp_path: Path) -> None:
    """Those of a kind are one line; also what never became a request."""
    with serving(tmp_path) as server:
        for number in range(50):
            assert server.get(f"/nowhere{number}").status_code == 404
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
                client.sendall(b"nonsense\r\n\r\n")
                assert client.recv(65536).startswith(b"HTTP/1.1 400 ")
        said = 'request method="" path="" status=400 seconds=0.0 client=127.0.0.1 problem="Bad request"'
        assert eventually(lambda: said in server.log.read_text())
        assert b'code_runner_problems_total{title="Bad request"} 3.0' in server.get("/metrics").content
    told = [line for line in entries(tmp_path / "audit.jsonl") if line["event"] == "refused"]
    assert [(line["status"], line["client"], line["path"], line["count"]) for line in told] == [
        (404, "127.0.0.1", "/nowhere0", 50),
        (400, "127.0.0.1", "", 3),
    ]
    assert all(line["first"] < line["time"] for line in told)
    assert audited(tmp_path / "audit.jsonl")["refusals"] == {"404 Not Found": 50, "400 Bad request": 3}


# The file alone


def test_a_torn_line_is_recognised(tmp_path: Path) -> None:
    """After a power cut: the piece stays, what follows says so, and the chain goes on."""
    path = tmp_path / "a"
    writer = AuditFile(path)
    for number in range(3):
        writer.append({"event": str(number)})
    writer.close()
    path.write_bytes(path.read_bytes()[:-20])
    AuditFile(path).append({"event": "after"})
    report = audited(path)
    assert (report["torn"], report["entries"]) == (1, 4)
    (tmp_path / "b").write_bytes(path.read_bytes()[:50])
    AuditFile(tmp_path / "b").append({"event": "after"})
    assert (audited(tmp_path / "b")["torn"], audited(tmp_path / "b")["entries"]) == (1, 2)


def test_a_file_of_others_is_not_appended_to(tmp_path: Path) -> None:
    """What it says is nobody's chain."""
    (tmp_path / "a").write_text("127.0.0.1 - GET /\n")
    with pytest.raises(OSError, match="is no entry"):
        AuditFile(tmp_path / "a").append({"event": "x"})


def test_a_copied_and_emptied_file_goes_on(tmp_path: Path) -> None:
    """As logrotate's copytruncate leaves it; also for a writer who has not seen the lines before."""
    path, writer = tmp_path / "a", AuditFile(tmp_path / "a")
    for name in ("a.1", "a.2"):
        writer.append({"event": "x"})
        (tmp_path / name).write_bytes(path.read_bytes())
        path.write_bytes(b"")
    writer.append({"event": "x"})
    assert audited(*tmp_path.glob("a*"))["entries"] == 3
    path.unlink()
    AuditFile(path).append({"event": "x"})
    assert entries(path)[0]["number"] == 3


def test_a_file_that_another_process_holds_is_waited_for_a_moment(tmp_path: Path) -> None:
    """Then the line is refused, and so is the run."""
    script = (
        "import fcntl, sys, time; f = open(sys.argv[1], 'a'); fcntl.flock(f, 2); print(1, flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, tmp_path / "a"], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        audit = Audit(str(tmp_path / "a"))

        async def write() -> None:
            with pytest.raises(AuditError):
                await audit.write("x")
            assert not await audit.mend()

        asyncio.run(write())
        assert audit.failing
        holder.kill()
        holder.wait()
        assert asyncio.run(audit.mend())
        audit.close()
    finally:
        holder.kill()
        holder.communicate()
    assert [line["event"] for line in entries(tmp_path / "a")] == ["resumed"]


def test_lines_are_in_the_order_of_the_calls(tmp_path: Path) -> None:
    """However many write at the same time."""

    async def write() -> None:
        audit = Audit(str(tmp_path / "a"))
        await asyncio.gather(*(audit.write("x", index=index) for index in range(200)))
        audit.close()

    asyncio.run(write())
    assert [line["index"] for line in entries(tmp_path / "a")] == list(range(200))
    assert audited(tmp_path / "a")["entries"] == 200


def test_whether_it_fails_is_known_as_soon_as_the_line_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the thread is faster than the loop: Python 3.14 waits for nothing then, and no callback has run."""

    def at_once(written: Future[None]) -> asyncio.Future[None]:
        made = asyncio.get_running_loop().create_future()
        error = written.exception()
        made.set_exception(error) if error else made.set_result(None)
        return made

    async def written() -> list[bool]:
        audit = Audit(str(tmp_path / "folder" / "audit.jsonl"))
        with pytest.raises(AuditError):
            await audit.write("first")
        failing = [audit.failing]
        (tmp_path / "folder").mkdir()
        assert await audit.mend()
        failing.append(audit.failing)
        audit.close()
        return failing

    monkeypatch.setattr(asyncio, "wrap_future", at_once)
    assert asyncio.run(written()) == [True, False]


def test_a_start_that_comes_too_late_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk hangs, the run is refused, and then the disk takes the line after all: nothing was run."""
    monkeypatch.setattr("runner.record.audit.WRITE_TIME", 0.2)

    async def write() -> None:
        audit = Audit(str(tmp_path / "a"))
        await audit.write("first")
        with (tmp_path / "a").open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            with pytest.raises(AuditError):
                await audit.begin({"job": "a"}, {"job": "a", "reason": "not_run"})
        await audit.write("next")
        await audit.write("last")  # what was lost sight of is ended between them
        audit.close()

    asyncio.run(write())
    told = [(line["event"], line.get("reason")) for line in entries(tmp_path / "a")]
    assert told[1:] == [("started", None), ("next", None), ("ended", "not_run"), ("last", None)]


def test_refusals_are_of_so_many_kinds_at_most(tmp_path: Path) -> None:
    """Those of more clients are counted together; what cannot be written is kept."""

    async def refuse() -> None:
        audit = Audit(str(tmp_path / "a"))
        refusals = Refusals(audit)
        for number in range(KINDS + 5):
            refusals.add(Kind(f"10.0.{number}", 404, "Not Found"), "/")
        await audit.write("first")
        with (tmp_path / "a").open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            await refusals.write()
        refusals.add(Kind("10.0.0", 404, "Not Found"), "/")
        await refusals.write()
        await refusals.write()
        audit.close()

    asyncio.run(refuse())
    told = [(line["client"], line["count"]) for line in entries(tmp_path / "a") if line["event"] == "refused"]
    ones = [(f"10.0.{number}", 1) for number in range(1, KINDS)]
    assert told == [*ones, ("others", 5), ("10.0.0", 2)]


def test_no_file_is_no_audit() -> None:
    """An empty name turns it off, in sight of everybody who reads server.toml."""
    asyncio.run(Audit("").write("x"))
    assert not os.path.exists("")
