"""keys.toml: what is read from it, what is refused, what is added to it, and who is found by what they send."""

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import parse as parse_rate

from runner.errors import PolicyError
from runner.policy import configuration, keys
from runner.policy.keys import ApiKey, Keys
from tests.strategies import BASE, toml_text, unhurried

SETTINGS: Final = Path("policies/server.toml").read_text(encoding="utf-8")
LANGUAGES: Final = ("cpp", "python")
names: Final = st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True)
secrets: Final = st.binary(min_size=keys.BYTES, max_size=keys.BYTES).map(lambda data: f"{keys.PREFIX}{data.hex()}")
ALICE: Final = f"{keys.PREFIX}{'0a' * keys.BYTES}"
TEXT: Final = f"""\
required = true

[keys.alice]
sha256 = "{keys.digest(ALICE)}"
rate-limit = "100 per 15 minutes"
languages = ["python"]

[keys.bob]
sha256 = "{"b" * 64}"
rate-limit = "5/minute"
languages = ["*"]
"""


def problems(text: str) -> tuple[str, ...]:
    """What is wrong with a keys.toml where python and cpp are served; empty when nothing is."""
    try:
        keys.parse(text, LANGUAGES)
    except PolicyError as error:
        return tuple(map(str, error.problems))
    return ()


# The file


def test_what_the_file_says_is_what_keys_hold() -> None:
    """Name, hash, rate and languages of each."""
    alice = ApiKey("alice", keys.digest(ALICE), parse_rate("100 per 15 minutes"), frozenset({"python"}))
    bob = ApiKey("bob", "b" * 64, parse_rate("5 per minute"), None)
    found = keys.parse(TEXT, LANGUAGES)
    assert found == Keys(required=True, by_hash={alice.sha256: alice, bob.sha256: bob})
    assert found.names == ["alice", "bob"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("required = true", "", "keys.toml: required is missing"),
        ("required = true", 'required = "yes"', "keys.toml:1: required must be true or false"),
        ("required = true", "requierd = true", "keys.toml:1: 'requierd' is unknown: did you mean required?"),
        ("5/minute", "often", 'keys.toml:10: keys.bob: rate-limit must be a rate such as "100 per 15 minutes"'),
        ('rate-limit = "5/minute"\n', "", "keys.toml:8: keys.bob: rate-limit is missing"),
        ('languages = ["python"]', "", "keys.toml:3: keys.alice: languages is missing"),
        ('["*"]', '["*", "cpp"]', 'keys.toml:11: keys.bob: languages must be ["*"] alone, or without it'),
        ('["*"]', "[]", 'keys.toml:11: keys.bob: languages must name a language, or be ["*"] for every one'),
        ('["*"]', "[1]", "keys.toml:11: keys.bob: languages must be a list of strings"),
        ('["*"]', '"*"', "keys.toml:11: keys.bob: languages must be a list of strings"),
        (
            '["*"]',
            '["pyton"]',
            "keys.toml:11: keys.bob: languages must be names of policies: 'pyton' is unknown: did you mean python?",
        ),
        (
            "b" * 64,
            "B" * 64,
            "keys.toml:9: keys.bob: sha256 must be the sha256 of a key, in 64 hexadecimal digits: "
            "python -m runner key NAME makes one",
        ),
        (
            "b" * 64,
            keys.digest(ALICE),
            "keys.toml:9: keys.bob: sha256 is that of alice, too: a key has one name",
        ),
        ('sha256 = "b', 'key = "b', "keys.toml:9: keys.bob: 'key' is unknown"),
        ("[keys.bob]", '[keys."bob b"]', "keys.toml:8: keys.'bob b': a name has 1 to 40 of A-Z, a-z, 0-9, _ and -"),
        (
            "[keys.bob]",
            f"[keys.{'b' * 41}]",
            f"keys.toml:8: keys.'{'b' * 41}': a name has 1 to 40 of A-Z, a-z, 0-9, _ and -",
        ),
        ("[keys.bob]", "[keys]\neve = 1\n[keys.bob]", "keys.toml:9: keys.'eve' must be a table"),
    ],
)
def test_what_is_wrong_is_refused_by_its_line(old: str, new: str, said: str) -> None:
    """With what to do."""
    assert said in problems(TEXT.replace(old, new))


def test_keys_are_a_table() -> None:
    """Or are not there: then there are none."""
    assert problems("required = false\nkeys = 1") == ("keys.toml:2: keys must be a table",)
    assert keys.parse("required = true") == Keys(required=True, by_hash={})


def test_a_name_stands_once() -> None:
    """TOML's own rule, with its line."""
    [said] = problems(f'{TEXT}[keys.alice]\nsha256 = ""\n')
    assert said.startswith("keys.toml:12: ")


def test_all_problems_are_reported_at_once() -> None:
    """Of every key."""
    text = TEXT.replace("true", "1").replace("100 per", "x").replace("5/minute", "y").replace("python", "cobol")
    assert [said.partition(": ")[0] for said in problems(text)] == [f"keys.toml:{line}" for line in (1, 5, 6, 10)]


def test_without_policies_beside_it_any_language_may_stand() -> None:
    """A file that is checked by itself."""
    assert keys.parse(TEXT.replace("python", "cobol")).names == ["alice", "bob"]


@unhurried
@given(
    st.recursive(
        st.one_of(st.text(max_size=9), st.booleans(), st.integers()),
        lambda each: st.lists(each, max_size=3) | st.dictionaries(names, each, max_size=3),
        max_leaves=8,
    )
)
def test_any_data_parses_or_is_refused(data: object) -> None:
    """Never with another error; also where a key should be."""
    for whole in ({"required": True, "keys": data}, {"required": True, "keys": {"a": data}}):
        assert isinstance(problems(toml_text(whole)), tuple)


@unhurried
@given(st.text())
def test_any_text_parses_or_is_refused(text: str) -> None:
    """Never with another error."""
    assert isinstance(problems(text), tuple)


# The folder


def folder(path: Path, text: str, *served: str) -> Path:
    """A policy ``python``, and this keys.toml."""
    settings = re.sub(r"(?m)^languages = .*$", f"languages = {json.dumps(served)}", SETTINGS)
    (path / "server.toml").write_text(settings, encoding="utf-8")
    (path / "python.toml").write_text(toml_text(BASE), encoding="utf-8")
    (path / "keys.toml").write_text(text, encoding="utf-8")
    return path


def test_it_is_read_with_the_other_files(tmp_path: Path) -> None:
    """And is no policy."""
    loaded = configuration.load(folder(tmp_path, TEXT, "python"))
    assert (list(loaded.policies), loaded.keys, loaded.key_required) == (["python"], keys.parse(TEXT), True)
    loaded = configuration.load(folder(tmp_path, TEXT.replace("true", "false"), "python"))
    assert loaded.key_required is False


def test_where_there_is_none_no_key_is_asked_for() -> None:
    """As in this repository."""
    assert (configuration.load().keys, configuration.load().key_required) == (None, False)


def test_its_problems_are_reported_with_all_others(tmp_path: Path) -> None:
    """A language whose policy has problems is known all the same; one without a policy is not."""
    folder(tmp_path, TEXT.replace('["python"]', '["python", "cpp"]').replace('["*"]', '["cobol"]'), "cpp", "python")
    (tmp_path / "cpp.toml").write_text("title = 1", encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        configuration.load(tmp_path)
    found = [problem for problem in caught.value.problems if problem.file == "keys.toml"]
    assert [(problem.line, "'cobol' is unknown" in problem.text) for problem in found] == [(11, True)]
    assert {problem.file for problem in caught.value.problems} == {"cpp.toml", "keys.toml"}


def test_a_link_that_leads_nowhere_opens_nothing(tmp_path: Path) -> None:
    """The file is there, and cannot be read: that is no folder without keys."""
    folder(tmp_path, TEXT, "python")
    (tmp_path / "keys.toml").unlink()
    (tmp_path / "keys.toml").symlink_to("elsewhere.toml")
    with pytest.raises(PolicyError, match=r"^keys\.toml: cannot be read"):
        configuration.load(tmp_path)


# A new key


@unhurried
@given(st.lists(st.tuples(names, secrets), min_size=1, max_size=5, unique_by=(lambda n: n[0], lambda n: n[1])))
def test_what_is_added_is_found(made: list[tuple[str, str]]) -> None:
    """One after the other, from no file on; what stood there stays as it was."""
    text = ""
    for name, key in made:
        more = keys.new(text, name, key, "7 per hour")
        assert key not in more
        text += more
    read = keys.parse(text, LANGUAGES)
    assert read.required is False
    for name, key in made:
        assert read.find(key) == ApiKey(name, keys.digest(key), parse_rate("7 per hour"), None)


@pytest.mark.parametrize("text", [TEXT, TEXT.rstrip("\n"), f"{TEXT}# end", TEXT.replace("\n", "\r\n")])
def test_lines_are_added_after_whatever_stands_there(text: str) -> None:
    """Also where its last line has no end."""
    assert keys.parse(text + keys.new(text, "carol", f"{keys.PREFIX}{'c' * 36}", "1/day")).names[-1] == "carol"


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (TEXT, "bob", "keys.toml:8: keys.bob is there already: take another name"),
        ("", "bob\n[x]", "keys.toml: keys.'bob\\n[x]': a name has 1 to 40 of A-Z, a-z, 0-9, _ and -"),
        ("", "", "keys.toml: keys.'': a name has 1 to 40 of A-Z, a-z, 0-9, _ and -"),
        ("required = true\nkeys = {}", "bob", "keys.toml:4: "),
    ],
)
def test_a_name_that_is_taken_or_wrong_is_refused(text: str, name: str, said: str) -> None:
    """And so is a file that cannot have another table."""
    with pytest.raises(PolicyError) as caught:
        keys.new(text, name, ALICE, "1/day")
    assert str(caught.value).startswith(said)


def test_what_a_new_file_begins_with_is_a_file() -> None:
    """That asks nobody for a key yet."""
    assert tomllib.loads(keys.NEW) == {"required": False}


# Who is found


class Watched(dict[str, ApiKey]):
    """Remembers what it is asked for."""

    asked: list[str]

    def get(self, key: str, default: Any = None) -> Any:
        """As a dict has it."""
        self.asked.append(key)
        return super().get(key, default)


@unhurried
@given(st.one_of(secrets, st.text(), st.text("0123456789abcdef", min_size=36, max_size=36).map(keys.PREFIX.__add__)))
def test_only_hashes_are_compared(sent: str) -> None:
    """So that no time tells of a key; and what has not a key's form is not even hashed."""
    watched = Watched(keys.parse(TEXT).by_hash)
    watched.asked = []
    found = Keys(required=True, by_hash=watched).find(sent)
    assert (found is not None) is (sent == ALICE)
    assert watched.asked in ([], [hashlib.sha256(sent.encode("utf-8", "surrogatepass")).hexdigest()])


def test_a_hash_of_something_else_than_a_key_opens_nothing() -> None:
    """Whoever puts a password's hash there finds out that it is not taken."""
    text = TEXT.replace("b" * 64, keys.digest("correct horse"))
    assert keys.parse(text).find("correct horse") is None


@pytest.mark.parametrize(
    "sent",
    [
        *("", keys.PREFIX, ALICE[:-1], f"{ALICE}0", ALICE.upper(), f" {ALICE}", f"{ALICE}\n", f"{ALICE}\0", ALICE[4:]),
        *(f"{keys.PREFIX}{'é' * 36}", f"{keys.PREFIX}{chr(0x660) * 36}", "\udc80", "x" * 100_000, keys.digest(ALICE)),
    ],
)
def test_anything_else_is_unknown(sent: str) -> None:
    """Also the hash itself."""
    assert keys.parse(TEXT).find(sent) is None
