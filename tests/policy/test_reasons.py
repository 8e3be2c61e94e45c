"""Each policy is python.toml but for lines that say why they differ."""

from typing import Final

import pytest

from runner.policy import configuration
from runner.policy.reasons import MODEL, hints
from tests.harness import ROOT

FOLDER: Final = ROOT / "policies"
TEXT: Final = (FOLDER / f"{MODEL}.toml").read_text(encoding="utf-8")


def block(text: str) -> list[str]:
    """The lines of docker-run."""
    return text.partition("docker-run = [\n")[2].partition("\n]\n")[0].split("\n")


@pytest.mark.parametrize("name", configuration.languages(FOLDER))
def test_every_policy_says_why_it_differs(name: str) -> None:
    """What is not word for word that of python.toml, comments included, has a reason in its own line."""
    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    assert list(hints(name, text, TEXT)) == []
    model, own = block(TEXT), block(text)
    assert [line for line in own if line in model] == [line for line in model if line in own]
    arguments = {line.split('"')[1] for line in model}
    assert [line for line in own if line not in model and ("#" not in line or line.split('"')[1] in arguments)] == []


def changed(old: str, new: str) -> list[str]:
    """What is said when a line is another."""
    assert old in TEXT
    return list(map(str, hints("java", TEXT.replace(old, new, 1), TEXT)))


def number(text: str) -> int:
    """The line of python.toml with this text."""
    return next(number for number, line in enumerate(TEXT.split("\n"), 1) if text in line)


def test_a_line_without_a_reason_is_named() -> None:
    """With its number; a reason makes it go away."""
    line, at = '"--pids-limit=64",                    # processes and threads', number("--pids-limit")
    said = f"java.toml:{at}: --pids-limit=99 is not in python.toml: say why in a comment of its line"
    assert changed(line, '"--pids-limit=99",\n#') == [said]
    assert changed(line, '"--pids-limit=99",  # for its threads') == []
    said = f"java.toml:{number('--cpus=1')}: --env=A=#1 is not in python.toml: say why in a comment of its line"
    assert changed('  "--cpus=1",\n', '  "--env=A=#1",\n  "--cpus=1",\n') == [said]


def test_a_line_that_is_gone_is_named() -> None:
    """Without a number: it has no line."""
    assert changed('  "--dns-search=.",\n', "") == ["java.toml: --dns-search=. of python.toml is not there"]


def test_a_limit_without_a_reason_is_named() -> None:
    """The unit that stands there in every policy is no reason."""
    old, at = "wall-time    = 2.0    # seconds", number("wall-time    = 2.0")
    said = f"java.toml:{at}: wall-time = 5.0 is 2.0 in python.toml: say why in its comment"
    assert changed(old, "wall-time    = 5.0    # seconds") == [said]
    assert changed(f"{old} from hand-over", "wall-time    = 5.0    # it starts slowly; seconds from hand-over") == []
    assert changed("\nsource       = 65536  # bytes of code, more", "\nsource       = 1\n# more") != []


@pytest.mark.parametrize("text", ["", "[limits]", "docker-run = [", "docker-run = [\n\n]\n[limits]\nnew = 1\n= 1"])
def test_any_text_is_read(text: str) -> None:
    """What is wrong with it is said by others; here it lacks lines."""
    assert all(": --" in str(hint) for hint in hints("java", text, TEXT))
    assert list(hints("java", text, "")) == []
    assert list(hints("java", TEXT, text))
