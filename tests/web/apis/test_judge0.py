"""Judge0's contract over HTTP: with its own Python client, and where that does not go."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import judge0
import pytest
from judge0 import Client, File, Filesystem, LanguageAlias, Status, Submission

from tests.harness import LANGUAGES, Server, audited, eventually, serving

QUOTA = 100


@pytest.fixture(scope="module")
def server(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that speaks it."""
    folder = tmp_path_factory.mktemp("judge0")
    limit = f"{QUOTA} per 15 minutes"
    with serving(folder, languages=LANGUAGES, apis=["judge0"], rate_limit=limit) as running:
        yield running
    assert {
        line["api"] for line in map(json.loads, (folder / "audit.jsonl").read_text().splitlines()) if "job" in line
    } == {"judge0"}
    audited(folder / "audit.jsonl")


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    """Its client, where it is told to look."""
    return Client(f"{server.url}/judge0")


def ask(server: Server, method: str, path: str, body: object = None, address: str = "127.0.0.1", **query: str) -> Any:
    """Status and what was answered. ``address``: from which of this machine's it is asked: each is a client."""
    transport = httpx.HTTPTransport(local_address=address, verify=False)
    with httpx.Client(transport=transport, base_url=f"{server.url}/judge0", timeout=60) as http:
        answer = http.request(method, path, json=body, params=query)
    return answer.status_code, answer.json()


def test_a_run_with_its_client(client: Client) -> None:
    """What it writes, how long and how much it took."""
    source = "import sys\nprint(input(), sys.argv[1:])"
    found = judge0.run(
        client=client, source_code=source, language=LanguageAlias.PYTHON, stdin="x", command_line_arguments="a 'b c'"
    )
    assert (found.status, found.stdout, found.stderr, found.exit_code) == (Status.ACCEPTED, "x ['a', 'b c']\n", None, 0)
    assert found.time is not None
    assert found.memory > 1000
    assert found.finished_at >= found.created_at


def test_several_cases_with_its_client(client: Client) -> None:
    """A batch; each is compared with what is expected of it."""
    cases = [("1", "2"), ("2", "4 \n"), ("3", "7")]
    found = judge0.run(
        client=client, source_code="print(2 * int(input()))", language=LanguageAlias.PYTHON, test_cases=cases
    )
    assert [each.status for each in found] == [Status.ACCEPTED, Status.ACCEPTED, Status.WRONG_ANSWER]


def test_endings_with_its_client(client: Client) -> None:
    """A compile error has the compiler's words; a limit, a signal and an exit code are told apart."""
    cpp, python = LanguageAlias.CPP, LanguageAlias.PYTHON
    cases: list[tuple[int, str, dict[str, Any], Status]] = [
        (cpp, "int main() { return x; }", {}, Status.COMPILATION_ERROR),
        (
            cpp,
            "#include <cstdlib>\nint main() { abort(); }",
            {"compiler_options": "-Wall"},
            Status.RUNTIME_ERROR_SIGABRT,
        ),
        (python, "while True: pass", {"cpu_time_limit": 0.3}, Status.TIME_LIMIT_EXCEEDED),
        (python, "x = bytearray(100_000_000)", {"memory_limit": 50_000}, Status.RUNTIME_ERROR_NZEC),
    ]
    asked = [Submission(source_code=source, language=language, **more) for language, source, more, _ in cases]
    found = judge0.run(client=client, submissions=asked)
    assert [each.status for each in found] == [status for *_, status in cases]
    assert "was not declared in this scope" in found[0].compile_output
    assert found[3].stderr.endswith("MemoryError\n")


def test_files_with_its_client(client: Client) -> None:
    """Packed; they lie beside the program."""
    files = Filesystem(content=[File(name="helper.py", content="value = 42"), File(name="data/x.bin", content=b"\xff")])
    source = "import helper\nprint(helper.value, open('data/x.bin', 'rb').read())"
    found = judge0.run(client=client, source_code=source, language=LanguageAlias.PYTHON, additional_files=files)
    assert (found.status, found.stdout) == (Status.ACCEPTED, "42 b'\\xff'\n")


def test_a_refusal_with_its_client(client: Client) -> None:
    """It raises what it raises elsewhere."""
    asked = Submission(source_code="1", language=LanguageAlias.PYTHON, compiler_options="-O2")
    with pytest.raises(httpx.HTTPStatusError) as refused:
        client.create_submission(asked)
    assert refused.value.response.status_code == 422
    said = {"compiler_options": ["setting compiler options is only allowed for compiled languages"]}
    assert refused.value.response.json() == said
    assert not client.is_language_supported(LanguageAlias.COBOL)


def test_what_it_says_of_itself(server: Server) -> None:
    """Languages and statuses, by their numbers."""
    assert ask(server, "GET", "/languages")[1][0] == {"id": 71, "name": "Python 3.13"}
    assert ask(server, "GET", "/languages/all")[1][0] == {"id": 71, "name": "Python 3.13", "is_archived": False}
    assert ask(server, "GET", "/languages/71")[1]["run_cmd"] == "python3 main.py"
    assert ask(server, "GET", "/languages/1") == (404, {"error": "there is no language of that id"})
    assert ask(server, "GET", "/statuses")[1][2] == {"id": 3, "description": "Accepted"}
    assert ask(server, "GET", "/about")[1]["version"] == "1.13.1"


def test_a_result_that_is_waited_for(server: Server) -> None:
    """With 201, and it can be asked for again."""
    body = {"language_id": 71, "source_code": "print(input())", "stdin": "é"}
    status, found = ask(server, "POST", "/submissions", body, wait="true")
    assert status == 201
    assert list(found) == ["stdout", "time", "memory", "stderr", "token", "compile_output", "message", "status"]
    assert (found["stdout"], found["status"]) == ("é\n", {"id": 3, "description": "Accepted"})
    assert ask(server, "GET", f"/submissions/{found['token']}") == (200, found)
    assert ask(server, "GET", f"/submissions/{found['token']}", fields="stdout", base64_encoded="true") == (
        200,
        {"stdout": "w6kK"},
    )


def test_output_that_is_no_text(server: Server) -> None:
    """It is there in base64 only."""
    body = {"language_id": 71, "source_code": "import os; os.write(1, b'\\xff')"}
    said = "cannot be converted to UTF-8, use base64_encoded=true query parameter"
    status, found = ask(server, "POST", "/submissions", body, wait="true")
    assert (status, found["error"]) == (201, f"some attributes for this submission {said}")
    path = f"/submissions/{found['token']}"
    assert ask(server, "GET", path) == (400, {"error": f"some attributes for this submission {said}"})
    assert ask(server, "GET", path, base64_encoded="true")[1]["stdout"] == "/w=="
    status, answer = ask(server, "GET", "/submissions/batch", tokens=found["token"])
    assert (status, answer["error"]) == (400, f"some attributes for one or more submissions {said}")


def test_a_batch_of_which_some_are_wrong(server: Server) -> None:
    """Each has an answer of its own; where none is right, it is invalid as a whole."""
    good = {"language_id": 71, "source_code": "print(1)"}
    wrong = [{"language_id": 1, "source_code": "x"}, 5, {**good, "source_code": "#" * 65537}]
    status, found = ask(server, "POST", "/submissions/batch", {"submissions": [good, *wrong]})
    assert (status, list(found[0])) == (201, ["token"])
    assert found[1] == {"language_id": ["language with id 1 doesn't exist"]}
    assert [list(each) for each in found[2:]] == [["error"], ["error"]]
    assert ask(server, "POST", "/submissions/batch", {"submissions": wrong}) == (422, found[1:])
    tokens = f"{found[0]['token']},nobody"

    def ended() -> bool:
        status: int = ask(server, "GET", "/submissions/batch", tokens=tokens)[1]["submissions"][0]["status"]["id"]
        return status > 2

    assert eventually(ended)
    status, shown = ask(server, "GET", "/submissions/batch", tokens=tokens, fields="stdout,status_id")
    assert (status, shown) == (200, {"submissions": [{"stdout": "1\n", "status_id": 3}, None]})


@pytest.mark.parametrize(
    ("method", "path", "body", "query", "status", "said"),
    [
        ("GET", "/submissions/nobody", None, {}, 404, "there is no submission of that token, or no longer"),
        ("GET", "/submissions/nobody", None, {"fields": "x"}, 400, "invalid fields: [x]"),
        ("GET", "/submissions/batch", None, {}, 400, "there should be at least one submission in a batch"),
        (
            *("POST", "/submissions", {"language_id": 71, "source_code": "1", "command_line_arguments": "'"}, {}, 400),
            "`command_line_arguments` has a quote or a backslash that does not end.",
        ),
        (
            *("POST", "/submissions", {"language_id": 71, "source_code": "1", "additional_files": "eA=="}, {}, 400),
            "`additional_files` is no zip archive that can be read here.",
        ),
    ],
    ids=range(5),
)
def test_refusals(
    server: Server, method: str, path: str, body: object, query: dict[str, str], status: int, said: str
) -> None:
    """Each says why."""
    assert ask(server, method, path, body, **query) == (status, {"error": said})


def test_who_asks_too_often_is_told(server: Server, client: Client) -> None:
    """Each submission of a batch is counted; to look at them is not."""
    batch: dict[str, Any] = {"submissions": [{}] * 20}
    found = [ask(server, "POST", "/submissions/batch", batch, "127.0.0.9")[0] for _ in range(QUOTA // 20)]
    assert set(found) == {422}
    status, said = ask(server, "POST", "/submissions", {}, "127.0.0.9", wait="true")
    assert (status, said["error"].split(";")[0]) == (429, f"{QUOTA} runs per 900 seconds are used up")
    assert ask(server, "GET", "/languages", None, "127.0.0.9")[0] == 200
    usual, limited = client.client, httpx.HTTPTransport(local_address="127.0.0.9", verify=False)
    with httpx.Client(base_url=client.endpoint, transport=limited) as client.client:
        asked = Submission(source_code="1", language=LanguageAlias.PYTHON)
        assert client.create_submission(asked) is None  # as it says what its own service would answer with 429
        assert asked.token is None
    client.client = usual


def test_what_waits_is_bounded_and_stops_with_the_server(server: Server) -> None:
    """All of a batch, or none of it; nothing of it is left behind, see ``serving``."""
    batch = {"submissions": [{"language_id": 71, "source_code": "import time; time.sleep(60)"}] * 20}
    found = [ask(server, "POST", "/submissions/batch", batch, "127.0.0.7") for _ in range(4)]
    assert [status for status, _ in found] == [201, 201, 201, 503]
    assert found[3][1] == {"error": "queue is full"}
    tokens = [each["token"] for each in found[0][1]]
    assert len(set(tokens)) == 20
    first = ask(server, "GET", f"/submissions/{tokens[0]}", fields="status")[1]
    last = ask(server, "GET", f"/submissions/{tokens[-1]}", fields="status")[1]
    assert (first["status"]["description"], last["status"]["description"]) == ("Processing", "In Queue")
    assert server.stop() < 15
