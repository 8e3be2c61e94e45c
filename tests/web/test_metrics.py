"""What Prometheus is told, by its own parser."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.harness import LANGUAGES, PATIENT, eventually, hear_out, holding, serving
from tests.web.test_live import talking

GOOD = {"language": "python", "code": "print(1)"}


def test_runs_and_refusals_are_counted(engine: None, tmp_path: Path) -> None:
    """By language, reason and status; durations by phase; what a client sends is never a label."""
    with serving(tmp_path, languages=LANGUAGES) as server:
        assert eventually(lambda: server.metrics()["containers", "python", "idle"] == 1, 20)
        server.run("python", "print(1)")
        server.post({"language": "python", "code": "1/0"}, headers={"accept": "text/event-stream"})
        with talking(server, {"language": "python", "code": ""}) as client:
            hear_out(client)
        server.post({"language": "cpp", "code": "int main() {}", "inputs": ["", "", ""]})
        server.post({"language": "cpp\n", "code": ""})
        server.get("/no/such/path")
        seen = server.metrics()
        assert {key[1:]: value for key, value in seen.items() if key[0] == "jobs_total"} == {
            ("python", "completed", "success"): 2,
            ("python", "exit_code", "runtime_error"): 1,
            ("cpp", "completed", "success"): 1,
        }
        assert {key[1:]: value for key, value in seen.items() if key[0] == "problems_total"} == {
            ("Unknown language",): 1,
            ("Not Found",): 1,
        }
        assert {key[1:]: value for key, value in seen.items() if key[0] == "seconds_count"} == {
            ("python", "queued"): 3,
            ("python", "wall"): 3,
            ("cpp", "queued"): 1,
            ("cpp", "compile"): 1,
            ("cpp", "wall"): 3,
        }
        assert 0 < seen["seconds_sum", "cpp", "compile"] < 10
        assert seen["hits_total", "python"] + seen["misses_total", "python"] == 3
        assert seen["hits_total", "python"] >= 1
        assert seen["failures_total", "python"] == 0


def test_the_pool_is_read_when_asked(engine: None, tmp_path: Path) -> None:
    """Who runs, who waits, what is ready."""
    with serving(tmp_path, warm=2, running=1, edit=PATIENT) as server, ThreadPoolExecutor(1) as clients:
        assert eventually(lambda: server.metrics()["containers", "python", "idle"] == 2, 20)
        with holding(server):
            run = clients.submit(server.post, GOOD)
            assert eventually(lambda: server.waiting() == 1)
            seen = server.metrics()
            assert (seen["containers", "python", "running"], seen[("waiting",)]) == (1, 1)
        assert run.result().status_code == 200
        seen = server.metrics()
        assert (seen["hits_total", "python"], seen["misses_total", "python"], seen[("waiting",)]) == (1, 1, 0)


def test_failures_are_counted(tmp_path: Path) -> None:
    """Without an engine there are no others; and other sites may not read them."""
    with serving(tmp_path, {"PATH": str(tmp_path)}) as server:
        assert server.post(GOOD).status_code == 503
        seen = server.metrics()
        assert seen["failures_total", "python"] >= 1
        assert seen["problems_total", "Engine not available"] == 1
        assert server.get("/metrics", headers={"host": "evil.example"}).status_code == 403
