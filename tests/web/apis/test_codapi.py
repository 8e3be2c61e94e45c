"""codapi's API at the real server: by hand, and by its widget in a real browser."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.harness import LANGUAGES, Server, serving
from tests.web.apis.site import Site
from tests.web.page.conftest import chromium

BODY: dict[str, Any] = {"sandbox": "python", "version": "", "command": "run", "files": {"": "print(1)"}}
KEYS = ["id", "ok", "duration", "stdout", "stderr"]


@pytest.fixture(scope="module")
def server(engine: None, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that lets the site's pages ask."""
    folder, origins = tmp_path_factory.mktemp("codapi"), [site.origin]
    with serving(folder, apis=["codapi"], languages=LANGUAGES, allowed_origins=origins) as running:
        yield running


def ask(server: Server, method: str, path: str = "/v1/exec", **options: Any) -> httpx.Response:
    return httpx.request(method, f"{server.url}{path}", verify=False, timeout=60, **options)


def test_a_run_with_files(server: Server) -> None:
    """Beside the program; a body in another spelling of its type is read, too."""
    files = {"": "import a; print(a.b, open('c').read())", "a.py": "b = 5", "c": "data:;base64,w6k="}
    kind = {"Content-Type": "application/json; charset=utf-8"}
    answer = ask(server, "POST", json={**BODY, "files": files}, headers=kind)
    seen = answer.json()
    assert (answer.status_code, list(seen)) == (200, KEYS)
    assert seen | {"id": "", "duration": 0} == {"id": "", "ok": True, "duration": 0, "stdout": "5 é", "stderr": ""}
    assert seen["id"].startswith("job-")
    assert "RateLimit" in answer.headers


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"sandbox": "cobol"}, 404, "unknown sandbox"),
        ({"command": "test"}, 404, "unknown command"),
        ({"files": {"": ""}}, 400, "empty request"),
        ({"files": {"": "x", "../y": ""}}, 200, "has `.` or `..` as a part"),
        ({"files": {"": "x" * 65537}}, 413, "65537 bytes"),
    ],
)
def test_a_refusal_has_its_keys(server: Server, change: dict[str, Any], status: int, said: str) -> None:
    """And why, for whoever wrote the program."""
    answer = ask(server, "POST", json={**BODY, **change})
    assert (answer.status_code, list(answer.json()), answer.json()["ok"]) == (status, KEYS, False)
    assert said in answer.json()["stderr"]


def test_what_is_no_request_has_its_keys(server: Server) -> None:
    """Nor is any other method."""
    answers = [ask(server, method) for method in ("GET", "PUT")]
    assert [(each.status_code, each.json()["stderr"], each.headers["allow"]) for each in answers] == [
        (405, f"unsupported method: {method}", "OPTIONS, POST") for method in ("GET", "PUT")
    ]
    answers = [ask(server, "POST", content=b"{"), ask(server, "POST", json=[])]
    assert [each.status_code for each in answers] == [415, 400]
    assert all(list(each.json()) == KEYS for each in answers)


def test_pages_that_are_allowed_can_read(server: Server, site: Site) -> None:
    """Whatever the answer; before they ask, and whether anybody is there."""
    ours = {"Origin": site.origin}
    asked = {**ours, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    before = ask(server, "OPTIONS", headers=asked)
    assert (before.status_code, before.content) == (200, b"")
    assert before.headers["access-control-allow-methods"] == "options, post"
    assert before.headers["access-control-allow-headers"] == "authorization, content-type"
    assert before.headers["access-control-max-age"] == "3600"
    health = [ask(server, method, "/v1/health", headers=ours) for method in ("HEAD", "GET")]
    assert [(each.status_code, each.text) for each in health] == [(200, ""), (200, '{"status":"up"}')]
    refused = ask(server, "POST", json={}, headers=ours)
    for answer in (before, *health, refused, ask(server, "GET", headers=ours)):
        assert answer.headers["access-control-allow-origin"] == site.origin
        assert answer.headers["vary"] == "Origin"


def test_pages_that_are_not_allowed_cannot(server: Server) -> None:
    """They are refused as everywhere here, and there is no header for their browser."""
    theirs = {"Origin": "https://other.example"}
    for method, path, status in (("OPTIONS", "/v1/exec", 403), ("POST", "/v1/exec", 403), ("GET", "/v1/health", 200)):
        answer = ask(server, method, path, headers=theirs)
        assert answer.status_code == status
        assert "access-control-allow-origin" not in answer.headers
    assert list(ask(server, "POST", headers=theirs).json()) == KEYS


def test_who_has_nothing_left_hears_when(limited: Server) -> None:
    """In the five keys."""
    answer = ask(limited, "POST", json=BODY)
    assert (answer.status_code, list(answer.json())) == (429, KEYS)
    assert int(answer.headers["retry-after"]) > 0


def test_what_is_not_named_is_not_served(server: Server) -> None:
    """One name stands in `apis` here."""
    answer = ask(server, "GET", "/api/v2/runtimes")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


# The widget


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all."""
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window."""
    opened = browser.new_page()
    opened.set_default_timeout(20_000)
    yield opened
    opened.close()


def run(page: Page, language: str, expected: str) -> None:
    """Presses Run below a program; what the reader sees then."""
    snippet = page.locator(f"#{language} + codapi-snippet")
    snippet.get_by_role("button", name="Run").click()
    expect(snippet.locator("codapi-output code")).to_contain_text(expected, timeout=20_000)


def test_the_widget_runs_programs(page: Page, server: Server, site: Site) -> None:
    """One that goes well, one that a reader has changed, one that does not compile, one of no sandbox."""
    page.goto(f"{site.origin}/#{server.url}")
    run(page, "python", "Hello")
    expect(page.locator("#python + codapi-snippet codapi-status")).to_contain_text("Done")
    page.locator("#python").fill("print(6 * 7)")
    run(page, "python", "42")
    run(page, "cpp", "was not declared in this scope")
    expect(page.locator("#cpp + codapi-snippet codapi-status")).to_have_text("✘ Failed")
    run(page, "cobol", "404 - Unknown sandbox or command.")


def test_the_widget_hears_of_the_rate_limit(page: Page, limited: Server, site: Site) -> None:
    """In its own words."""
    page.goto(f"{site.origin}/#{limited.url}")
    run(page, "python", "429 - Too many requests.")
