"""The panel that shows the docker command."""

import shlex
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from runner.policy import configuration
from tests.harness import Server
from tests.web.page.screen import Screen

MARKUP = "<b>the internet</b>"
FLAGS: list[dict[str, Any]] = [
    {"line": "--rm", "why": "nothing is left", "without": "", "sources": "", "verified": None},
    {"line": "--network=none", "why": "no way out", "without": f"programs reach {MARKUP}", "sources": "CIS 5.10"}
    | {"verified": "proved"},
    {"line": "--user={uid}:{uid}", "why": "not root", "without": "", "sources": "", "verified": "not observed"},
    {"line": "--memory=256m", "why": "the host's memory", "without": "", "sources": "", "verified": "failed"},
]
POLICY = {
    "language": "python",
    "title": "Python 3.13",
    "digest": "0" * 64,
    "image": "code-runner-python:3",
    "image_id": "sha256:" + "0" * 64,
    "command": [
        "docker",
        "run",
        *(flag["line"] for flag in FLAGS),
        "--name=job-<timestamp>-<random>",
        "image",
        "launch",
    ],
    "flags": [{"name": str(flag["line"]).partition("=")[0], **flag} for flag in FLAGS],
    "waivers": {"--network": "for a test"},
    "verified": {"age": 200, "proved": 2, "failed": ["--memory"]},
}
"""What GET /policies/python may say."""


def test_the_panel_shows_what_ran(screen: Screen, server: Server) -> None:
    """Word for word what the process table had; it can be copied."""
    screen.write("import time\nprint('begun', flush=True)\ntime.sleep(1.2)")
    screen.button("Run").click()
    expect(screen.output).to_contain_text("begun")
    living = [Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1] for pid in server.clients()]
    assert screen.ended() == "Finished"
    expect(screen.page.locator("#command-about")).to_contain_text("your last run")
    assert screen.argv() in living
    rows = screen.page.locator("#command tbody tr").filter(has_text="Without it:")
    assert rows.count() == len(configuration.load().policies["python"].docker_run)
    screen.page.locator("#command-title").scroll_into_view_if_needed()
    screen.picture("command-ran")
    screen.button("Copy command").click()
    expect(screen.page.locator("#toast")).to_have_text("The command is copied")
    assert shlex.split(screen.page.evaluate("navigator.clipboard.readText()")) == screen.argv()


def test_the_panel_says_what_each_word_is_for(screen: Screen) -> None:
    """A row for each: its reason, what happens without it, who asks for it, whether it was verified."""
    screen.page.route("**/policies/python", lambda route: route.fulfill(json=POLICY))
    screen.page.reload()
    rows = screen.page.locator("#command tbody tr")
    expect(rows).to_have_count(4 + len(FLAGS))
    expect(screen.page.locator("#limits")).to_have_text("at most 2 s and 256 MB")
    network = rows.filter(has_text="--network=none")
    assert network.locator("td").all_inner_texts() == [
        f"no way out\n\nWithout it: programs reach {MARKUP}\nWaived: for a test\nCIS 5.10",
        "✓ proved",
    ]
    for name, verdict in {"--memory": "✗ failed", "--user": "○ not observed", "--rm": "not checked yet"}.items():
        expect(rows.filter(has_text=f"{name}").first.locator("td").last).to_have_text(verdict)
    expect(screen.page.locator("#command-about")).to_contain_text("3 min ago: 2 proved, failed: --memory.")
    assert screen.run("print(1)") == "Finished"
    words = screen.page.locator("#command tbody th").all_inner_texts()
    image = words.index("code-runner-python:3")
    assert [*words[0].split(), *words[1 : image + 1], *shlex.split(words[-1])] == screen.argv()
    assert rows.filter(has_text="--user=").locator("td").last.inner_text() == "○ not observed"
    assert "added by the server" in rows.filter(has_text="--name=job-").inner_text()
    screen.page.locator("#command-title").scroll_into_view_if_needed()
    screen.picture("command")
