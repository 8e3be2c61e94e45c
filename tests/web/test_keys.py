"""Who may run programs: the real server with keys, where they are required and where they are not."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from starlette.routing import Route
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from runner.policy import keys
from server import OTHERS, ROUTES
from tests.commands.test_cli import runner
from tests.harness import LANGUAGES, Server, eventually, hear_out, serving
from tests.record.test_audit import entries

NAMES: Final = ("alice", "few", "snake", "sharer")
KEYS: Final = {name: f"{keys.PREFIX}{keys.digest(name)[: 2 * keys.BYTES]}" for name in NAMES}
WRONG: Final = f"{keys.PREFIX}{'0' * 36}"
TEXT: Final = f"""\
required = true
[keys.alice]
sha256 = "{keys.digest(KEYS["alice"])}"
rate-limit = "1000 per 1 hour"
languages = ["*"]
[keys.few]
sha256 = "{keys.digest(KEYS["few"])}"
rate-limit = "2 per 1 hour"
languages = ["*"]
[keys.snake]
sha256 = "{keys.digest(KEYS["snake"])}"
rate-limit = "1000 per 1 hour"
languages = ["python"]
[keys.sharer]
sha256 = "{keys.digest(KEYS["sharer"])}"
rate-limit = "1000 per 1 hour"
languages = ["*"]
"""
COUNTED: Final = 400
"""What an empty body hears after it has been counted: no container is needed."""
HELLO: Final = {"language": "python", "code": "print('hello')"}
CODE: Final = {"source_code": "print(1)"}
CPP: Final = {"language": "cpp", "code": "int main() {}"}
PROXIES: Final = ["127.0.0.1"]
EVERYBODY: Final = "4 per 15 minutes"


@pytest.fixture(scope="module")
def strict(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One where keys are required, behind a proxy: so each test has addresses of its own."""
    folder = tmp_path_factory.mktemp("strict")
    own: dict[str, Any] = {"rate_limit": EVERYBODY, "trusted_proxies": PROXIES, "apis": [*OTHERS]}
    with serving(folder, keys=TEXT, languages=LANGUAGES, **own) as running:
        yield running


def bearer(name: str) -> dict[str, str]:
    """The header of who holds that key."""
    return {"authorization": f"Bearer {KEYS[name]}"}


def ask(server: Server, client: str, headers: Mapping[str, Any] | None = None, body: object = None) -> tuple[int, Any]:
    """Status and answer for a client of that address."""
    answer = server.post(body or {}, headers={"x-forwarded-for": client, **(headers or {})})
    return answer.status_code, answer.json()


def talk(server: Server, message: object, **headers: str) -> tuple[list[tuple[str, Any]], int]:
    """All that a live run says, and the code of its close."""
    headers = {"x-forwarded-for": "198.51.100.1", **headers}
    with connect(f"ws://127.0.0.1:{server.port}/run/live", additional_headers=headers) as client:
        client.send(json.dumps(message))
        return hear_out(client)


# Required


def test_without_a_key_nothing_runs(strict: Server) -> None:
    """401, with what to do; the answer is counted like any other."""
    answer = strict.post(HELLO, headers={"x-forwarded-for": "192.0.2.1"})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["ratelimit"] == '"run";r=3;t=900'
    assert answer.json() == {
        "type": "urn:code-runner:no-valid-key",
        "title": "No valid key",
        "status": 401,
        "detail": "Programs are run only for whoever has a key: send it as `Authorization: Bearer KEY`, or as `key` in "
        "the first message of a live run. Whoever runs this service gives them out.",
    }


@pytest.mark.parametrize(
    ("name", "before"),
    [("Authorization", "Bearer "), ("authorization", "BEARER  "), ("X-Auth-Token", ""), ("X-API-KEY", "")],
)
def test_a_key_may_stand_in_the_header_of_any_api(strict: Server, name: str, before: str) -> None:
    """On ours, too."""
    assert ask(strict, "192.0.2.2", {name: f"{before}{KEYS['alice']}"})[0] == COUNTED


@pytest.mark.parametrize(
    "value", [WRONG, KEYS["alice"].upper(), KEYS["alice"][:-1], keys.digest(KEYS["alice"]), "é".encode(), b"\x80\xff"]
)
def test_an_unknown_key_is_refused(strict: Server, value: str | bytes) -> None:
    """Whatever bytes it has; it is not in the answer."""
    value = value.encode() if isinstance(value, str) else value
    client = f"192.0.2.{len(value) + 10}"
    status, problem = ask(strict, client, {"authorization": b"Bearer " + value})
    assert (status, problem["detail"][:30]) == (401, "That key is not known here: lo")
    assert value not in json.dumps(problem).encode()


ASKED: Final = sorted(
    (route.path.replace("{key}", "abcdefgh"), method)
    for each in [ROUTES, *OTHERS.values()]
    for route in each
    if isinstance(route, Route) and route.include_in_schema
    for method in (route.methods or set()) - {"GET", "HEAD", "OPTIONS"}
)
MISSING: Final = "Programs are run only for whoever has a key"


@pytest.mark.parametrize(("number", "path", "method"), [(n, *each) for n, each in enumerate(ASKED)], ids=str)
def test_every_route_that_does_something_asks_for_a_key(strict: Server, number: int, path: str, method: str) -> None:
    """Of every API; in its own words, which are 403 in Jobe's."""
    headers = {"x-forwarded-for": f"203.0.113.{number + 100}"}
    answer = httpx.request(method, f"{strict.url}{path}", json={}, headers=headers, verify=False)
    assert answer.status_code == (403 if path.startswith("/jobe/") else 401)
    assert MISSING in answer.text
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/run/live", "/api/v2/connect"])
def test_every_socket_asks_for_a_key(strict: Server, path: str) -> None:
    """In its header, or in its first message."""
    init = {"type": "init", "language": "python", "version": "*", "files": [{"content": "print(6 * 7)"}]}
    first = HELLO if path == "/run/live" else init
    for headers, more, said in (
        ({}, {}, MISSING),
        (bearer("alice"), {}, "hello" if path == "/run/live" else "42"),
        ({}, {"key": KEYS["alice"]}, "hello" if path == "/run/live" else "42"),
    ):
        heard = []
        with connect(f"ws://127.0.0.1:{strict.port}{path}", additional_headers=headers) as client:
            client.send(json.dumps({**first, **more}))
            with suppress(ConnectionClosed):
                while True:
                    heard.append(str(client.recv(timeout=20)))
        assert said in "".join(heard)


def test_another_api_knows_whose_key_it_is(strict: Server) -> None:
    """Its header, the languages of the key, and what belongs to one client."""
    spec = {"run_spec": {"language_id": "python3", "sourcecode": "print(6 * 7)"}}
    jobe, judge0 = f"{strict.url}/jobe/index.php/restapi", f"{strict.url}/judge0/submissions"
    with httpx.Client(verify=False, timeout=60, headers={"x-forwarded-for": "203.0.113.2"}) as client:
        snake, alice = {"x-api-key": KEYS["snake"]}, {"x-api-key": KEYS["alice"]}
        assert client.post(f"{jobe}/runs", json=spec, headers=snake).json()["stdout"] == "42\n"
        spec["run_spec"]["language_id"] = "cpp"
        said = "The key snake may not run cpp; it is for python."
        refused = client.post(f"{jobe}/runs", json=spec, headers=snake)
        assert (refused.status_code, refused.json()) == (403, said)
        put = client.put(f"{jobe}/files/abcdefgh", json={"file_contents": "QQ=="}, headers=snake)
        assert put.status_code == 204
        assert [client.head(f"{jobe}/files/abcdefgh", headers=each).status_code for each in (snake, alice, {})] == [
            *(204, 404, 404)
        ]
        for submission, status in ((CODE | {"language_id": 71}, 201), (CODE | {"language_id": 54}, 403)):
            answer = client.post(judge0, json=submission, headers={"x-auth-token": KEYS["snake"]})
            assert answer.status_code == status
        assert answer.json() == {"error": said}


def test_a_huge_key_is_refused_with_its_head(strict: Server) -> None:
    """Like any other header."""
    assert ask(strict, "192.0.2.3", {"x-api-key": "x" * 20_000})[0] == 431
    assert ask(strict, "192.0.2.3", {"x-api-key": "x" * 10_000})[0] == 401


def test_several_keys_are_refused(strict: Server) -> None:
    """Though each were right; the same one twice is one."""
    both = {**bearer("alice"), "x-api-key": KEYS["snake"]}
    assert ask(strict, "192.0.2.4", both)[1]["detail"].startswith("There are several keys")
    assert ask(strict, "192.0.2.4", {**bearer("alice"), "x-api-key": KEYS["alice"]}, HELLO)[0] == 200


def test_wrong_keys_use_up_the_limit_of_their_address(strict: Server) -> None:
    """And no other; whoever has a right key there goes on."""
    wrong = {"authorization": f"Bearer {WRONG}"}
    assert [ask(strict, "192.0.2.5", wrong)[0] for _ in range(6)] == [401, 401, 401, 401, 429, 429]
    assert ask(strict, "192.0.2.5")[0] == 429
    assert ask(strict, "192.0.2.5", bearer("alice"))[0] == COUNTED
    assert ask(strict, "192.0.2.6", wrong)[0] == 401


def test_a_class_behind_one_address_shares_no_limit(strict: Server) -> None:
    """Each key has its own, wherever it is used from."""
    answer = strict.post({}, headers={"x-forwarded-for": "192.0.2.7", **bearer("few")})
    assert (answer.headers["ratelimit-policy"], answer.headers["ratelimit"]) == ('"run";q=2;w=3600', '"run";r=1;t=3600')
    assert [ask(strict, "192.0.2.8", bearer("few"))[0] for _ in range(2)] == [COUNTED, 429]
    assert {ask(strict, "192.0.2.7", bearer("sharer"))[0] for _ in range(10)} == {COUNTED}
    assert [ask(strict, "192.0.2.7")[0] for _ in range(4)] == [401] * 4


def test_a_key_runs_the_languages_that_it_is_for(strict: Server) -> None:
    """Another is 403, also before events, and in a live run; what is wrong with the request is said first."""
    said = "The key snake may not run cpp; it is for python."
    status, problem = ask(strict, "192.0.2.9", bearer("snake"), CPP)
    assert (status, problem["title"], problem["detail"]) == (403, "Forbidden language", said)
    assert ask(strict, "192.0.2.9", {**bearer("snake"), "accept": "text/event-stream"}, CPP) == (403, problem)
    assert talk(strict, {**CPP, "key": KEYS["snake"]}) == ([("problem", problem)], 1008)
    assert ask(strict, "192.0.2.9", bearer("snake"), {**CPP, "language": "cobol"})[0] == 422
    assert ask(strict, "192.0.2.9", bearer("snake"), HELLO)[1]["stdout"] == "hello\n"


def test_a_live_run_has_its_key_in_its_first_message(strict: Server) -> None:
    """A browser can set no header; who can may do so."""
    for heard, code in (
        talk(strict, {**HELLO, "key": KEYS["alice"]}),
        talk(strict, HELLO, **bearer("alice")),
        talk(strict, {**HELLO, "key": KEYS["alice"]}, **bearer("alice")),
    ):
        assert (heard[-1][0], heard[-1][1]["stdout"], code) == ("result", "hello\r\n", 1000)


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (HELLO, 401),
        ({**HELLO, "key": WRONG}, 401),
        ({**HELLO, "key": "é\0"}, 401),
        ({**HELLO, "key": 1}, 401),
        ("nonsense", 401),
        ({"key": KEYS["alice"]}, 400),
        ({**HELLO, "key": KEYS["alice"], "more": 1}, 400),
    ],
)
def test_a_first_message_without_a_right_key_is_refused(strict: Server, message: object, status: int) -> None:
    """Before anything else in it is looked at; in words that a page can read."""
    address = f"198.51.100.{len(json.dumps(message))}"
    [(event, problem)], code = talk(strict, message, **{"x-forwarded-for": address})
    assert (event, problem["status"], code) == ("problem", status, 1008)


def test_first_messages_are_counted(strict: Server) -> None:
    """Each key for itself, and each address for wrong ones."""
    wrong = [talk(strict, {"key": WRONG}, **{"x-forwarded-for": "203.0.113.1"}) for _ in range(5)]
    assert [heard[0][1]["status"] for heard, _ in wrong] == [401, 401, 401, 401, 429]
    assert wrong[-1][1] == 1013
    heard, _ = talk(strict, {"key": KEYS["alice"]}, **{"x-forwarded-for": "203.0.113.1"})
    assert heard[0][1]["status"] == 400


def test_what_shows_nothing_secret_stays_open(strict: Server) -> None:
    """Everything that is only read; and /languages says that a key is required."""
    for route in ROUTES:
        if "GET" in (getattr(route, "methods", None) or ()):
            path = route.path.replace("{language}", "python").replace("{path:path}", "key.js")
            assert strict.get(path).status_code != 401, path
    assert strict.get("/languages").json()["key_required"] is True
    assert strict.get("/openapi.json").json()["paths"]["/run"]["post"]["security"] == [{"key": []}]


# Not required


def test_where_none_is_required_keys_count_all_the_same(engine: None, tmp_path: Path) -> None:
    """Who has none is counted by address; a wrong one is refused; each line of the record says whose key it was."""
    text = TEXT.replace("required = true", "required = false")
    with serving(
        tmp_path, keys=text, languages=LANGUAGES, rate_limit="3 per 15 minutes", trusted_proxies=PROXIES
    ) as server:
        assert server.get("/languages").json()["key_required"] is False
        assert server.get("/openapi.json").json()["paths"]["/run"]["post"]["security"] == [{"key": []}, {}]
        assert ask(server, "192.0.2.1", body=HELLO)[0] == 200
        assert ask(server, "192.0.2.1", {"authorization": "Basic YTpi"}, HELLO)[0] == 200
        assert ask(server, "192.0.2.1", {"x-auth-token": WRONG}, HELLO)[0] == 401
        assert ask(server, "192.0.2.1", body=HELLO)[0] == 429
        job = ask(server, "192.0.2.1", bearer("alice"), HELLO)[1]["id"]
        assert ask(server, "192.0.2.1", bearer("snake"), CPP)[0] == 403
        assert talk(server, {**HELLO, "key": KEYS["alice"]})[1] == talk(server, HELLO)[1] == 1000
        metrics = server.get("/metrics").text
        assert 'code_runner_problems_total{title="No valid key"} 1.0' in metrics
        log = server.log.read_text
        assert eventually(lambda: log().count("key=alice") == 2 and "key=snake" in log())
    file = tmp_path / "audit.jsonl"
    lines = entries(file)
    named = [(line["event"], line["key"]) for line in lines if line["event"] in ("started", "ended")]
    assert sorted(named, key=str) == sorted(
        [(e, k) for e in ("started", "ended") for k in [None, "alice"] * 2 + [None]], key=str
    )
    refused = {(line["status"], line["key"]) for line in lines if line["event"] == "refused"}
    assert refused == {(401, None), (429, None), (403, "snake")}
    assert "runs by key: alice 2\n" in runner("audit", str(file))[1]
    assert json.loads(runner("audit", str(file), "--json")[1])["keys"] == {"alice": 2}
    found = runner("audit", str(file), "--find", job)[1]
    assert re.findall(r'"key": (.*),', found) == ['"alice"'] * 2
    everywhere = file.read_text() + log() + metrics
    assert [key for key in (*KEYS.values(), WRONG) if key in everywhere] == []
