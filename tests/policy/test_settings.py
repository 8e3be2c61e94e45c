"""server.toml, and the folder of all files: every problem is refused at start, by file and key."""

import hashlib
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import PolicyError
from runner.policy import configuration, settings
from runner.policy.settings import Settings
from tests.strategies import BASE, LIMITS, replaced, toml_text, unhurried

TEXT: Final = Path("policies/server.toml").read_text(encoding="utf-8")
DATA: Final = tomllib.loads(TEXT)
POLICY: Final = toml_text(BASE)


HOSTS = 'allowed-hosts must be a list of host names in lower case, without ports, such as "localhost"'


def problems(text: str) -> tuple[str, ...]:
    """What is wrong with a server.toml; empty when nothing is."""
    try:
        settings.parse(text)
    except PolicyError as error:
        return tuple(f"{problem.file}: {problem.text}" for problem in error.problems)
    return ()


def changed(**values: object) -> str:
    """The shipped server.toml with other values."""
    return toml_text({**DATA, **{key.replace("_", "-"): value for key, value in values.items()}})


BOX: Final = changed(languages=["box"])


def folder_problems(folder: Path) -> tuple[str, ...]:
    """What is wrong with a folder of files; fails when nothing is."""
    with pytest.raises(PolicyError) as caught:
        configuration.load(folder)
    return tuple(f"{problem.file}: {problem.text}" for problem in caught.value.problems)


# server.toml


def test_the_shipped_file_is_what_the_settings_hold() -> None:
    """Every key of the file is a setting, and its value is the file's."""
    parsed = settings.parse(TEXT)
    held = {field.name.replace("_", "-"): getattr(parsed, field.name) for field in fields(Settings)}
    expected = {key: tuple(value) if isinstance(value, list) else value for key, value in DATA.items()}
    assert held == expected | {"memory": 6 * 1024**3, "waiting-memory": 64 * 1024**2}


def test_the_shipped_service_is_for_this_machine_only() -> None:
    """Until ops say more: loopback, no proxy, no other site, the rate that the README names."""
    parsed = settings.parse(TEXT)
    assert (parsed.host, parsed.port) == ("127.0.0.1", 3000)
    assert parsed.allowed_hosts == ("localhost", "127.0.0.1", "[::1]")
    assert (parsed.allowed_origins, parsed.trusted_proxies) == ((), ())
    assert (parsed.rate.amount, parsed.rate.get_expiry()) == (100, 15 * 60)


@pytest.mark.parametrize("key", sorted(DATA))
def test_a_missing_key_is_refused(key: str) -> None:
    """There are no defaults."""
    assert problems(toml_text({k: v for k, v in DATA.items() if k != key})) == (f"server.toml: {key} is missing",)


@pytest.mark.parametrize("key", sorted(DATA))
def test_a_value_of_another_type_is_refused(key: str) -> None:
    """A number is no string, a switch is no number, a string is no list."""
    kind = type(DATA[key])
    names = {
        bool: "true or false",
        str: "a string",
        int: "a whole number",
        float: "a number",
        list: "a list of strings",
    }
    wrong: list[Any] = [
        1 if kind is bool else True,
        {"a": 1},
        "x" if kind is not str else 1,
        [1] if kind is not list else "localhost",
    ]
    wrong += [1.5] if kind is int else []
    for value in wrong:
        assert problems(toml_text({**DATA, key: value})) == (f"server.toml: {key} must be {names[kind]}",)


@pytest.mark.parametrize("value", [-1, 10**18])
@pytest.mark.parametrize("key", sorted(key for key, value in DATA.items() if type(value) in (int, float)))
def test_a_number_out_of_its_range_is_refused(key: str, value: int) -> None:
    """Every number has a lower and an upper bound, and the message says them."""
    found = problems(toml_text({**DATA, key: value}))
    assert [problem.partition(" must be from ")[0] for problem in found] == [f"server.toml: {key}"]
    assert " to " in found[0].partition(" must be from ")[2]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("key", sorted(key for key, value in DATA.items() if isinstance(value, float)))
def test_a_time_is_a_finite_number(key: str, value: float) -> None:
    """TOML knows nan and inf; a deadline does not."""
    assert [problem.partition(" must be from ")[0] for problem in problems(toml_text({**DATA, key: value}))] == [
        f"server.toml: {key}"
    ]


ORIGINS: Final = 'allowed-origins must be a list of origins such as "https://example.org"'
RATE: Final = 'rate-limit must be a rate such as "100 per 15 minutes"'
STORAGE: Final = (
    'rate-limit-storage must be "memory" or a URL such as "redis://host:6379/0"; '
    "a password comes from REDIS_PASSWORD, not from here"
)
INSTANCE: Final = "instance must be of a-z, 0-9 and -"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"host": ""}, "host must not be empty"),
        ({"port": 65536}, "port must be from 0 to 65535"),
        ({"languages": []}, 'languages must be a list of policies, each once, such as "python"'),
        ({"languages": ["python", "python"]}, 'languages must be a list of policies, each once, such as "python"'),
        ({"languages": ["../python"]}, 'languages must be a list of policies, each once, such as "python"'),
        ({"languages": [1]}, 'languages must be a list of policies, each once, such as "python"'),
        ({"apis": ["jobs"]}, "apis must be a list of piston, codapi, jobe, judge0, mcp"),
        ({"instance": ""}, INSTANCE),
        ({"instance": "a" * 41}, INSTANCE),
        ({"instance": "Main"}, INSTANCE),
        ({"instance": "a=b"}, INSTANCE),
        ({"instance": "a\n"}, INSTANCE),
        ({"memory": ""}, 'memory must be a size such as "6g"'),
        ({"memory": "0"}, 'memory must be a size such as "6g"'),
        ({"memory": "much"}, 'memory must be a size such as "6g"'),
        ({"rate_limit": ""}, RATE),
        ({"rate_limit": "100"}, RATE),
        ({"rate_limit": "many per hour"}, RATE),
        ({"rate_limit": "100 per fortnight"}, RATE),
        ({"rate_limit_storage": ""}, STORAGE),
        ({"rate_limit_storage": "redis"}, STORAGE),
        ({"rate_limit_storage": "memcached://localhost"}, STORAGE),
        ({"rate_limit_storage": "redis://:secret@localhost:6379/0"}, STORAGE),
        ({"rate_limit_storage": "redis://localhost:65536"}, STORAGE),
        ({"rate_limit_storage": "redis://localhost:0"}, STORAGE),
        ({"rate_limit_storage": "redis://localhost/0?socket_timeout=99"}, STORAGE),
        ({"allowed_hosts": [1]}, HOSTS),
        ({"allowed_hosts": ["a\tb"]}, HOSTS),
        ({"allowed_hosts": ["Runner.Example"]}, HOSTS),
        ({"allowed_hosts": ["localhost:3000"]}, HOSTS),
        ({"allowed_origins": ["*"]}, ORIGINS),
        ({"allowed_origins": ["example.org"]}, ORIGINS),
        ({"allowed_origins": ["https://example.org/"]}, ORIGINS),
        ({"allowed_origins": ["null"]}, ORIGINS),
        ({"allowed_origins": [1]}, ORIGINS),
        (
            {"trusted_proxies": ["*"]},
            "trusted-proxies must be a list of addresses or networks: "
            "'*' does not appear to be an IPv4 or IPv6 network",
        ),
        (
            {"trusted_proxies": ["10.0.0.1/8"]},
            "trusted-proxies must be a list of addresses or networks: 10.0.0.1/8 has host bits set",
        ),
        (
            {"trusted_proxies": [True]},
            "trusted-proxies must be a list of addresses or networks: "
            "'True' does not appear to be an IPv4 or IPv6 network",
        ),
        ({"prot": 1}, "'prot' is unknown: did you mean port?"),
    ],
)
def test_a_wrong_value_is_refused(change: dict[str, Any], said: str) -> None:
    """Each key says what it takes."""
    assert problems(changed(**change)) == (f"server.toml: {said}",)


@pytest.mark.parametrize("rate", ["100 per 0 minutes", "100 per minute; 5 per second", "0 per minute"])
def test_a_rate_that_would_not_be_kept_is_refused(rate: str) -> None:
    """The limits library reads 0 minutes as 1 and drops a second rate; no rate at all serves nobody."""
    assert problems(changed(rate_limit=rate)) == (f"server.toml: {RATE}",)


@pytest.mark.parametrize(
    "change",
    [
        {"rate_limit": "1/second"},
        {"rate_limit": "10 per hour"},
        {"rate_limit_storage": "redis://localhost"},
        {"rate_limit_storage": "rediss://runner@redis.example:6380/1"},
        {"rate_limit_storage": "redis://[::1]:6379/0"},
        {"allowed_origins": ["https://example.org", "http://localhost:8080"]},
        {"trusted_proxies": ["10.0.0.2", "10.0.0.0/8", "::1", "2001:db8::/32"]},
        {"waiting_time": 10},
        {"host": "::"},
        {"port": 0},
        {"memory": "0.5g"},
    ],
)
def test_a_right_value_is_taken(change: dict[str, Any]) -> None:
    """What the comments of the file promise can be written."""
    assert problems(changed(**change)) == ()


def test_all_problems_are_reported_at_once() -> None:
    """Three faults are three lines."""
    text = changed(prot=1, port=-1, host="")
    with pytest.raises(PolicyError) as caught:
        settings.parse(text)
    assert str(caught.value).split("\n") == [
        f"server.toml:{len(DATA) + 1}: 'prot' is unknown: did you mean port?",
        "server.toml:1: host must not be empty",
        "server.toml:2: port must be from 0 to 65535",
    ]


def test_live_runs_leave_places_for_others() -> None:
    """Or they could take every container there may be."""
    said = "server.toml: live must be less than containers (3), or live runs could take every place"
    assert problems(changed(live=3, containers=3)) == (said,)
    assert problems(changed(live=2, containers=3)) == ()
    assert problems(changed(live=0, containers=1)) == ()


values: Final = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@unhurried
@given(st.dictionaries(st.sampled_from(sorted(DATA)), values, max_size=4))
def test_any_data_parses_or_is_refused(data: dict[str, Any]) -> None:
    """Nothing but a PolicyError leaves the parser, whatever the types."""
    assert [found for found in problems(toml_text({**DATA, **data})) if not found.startswith("server.toml: ")] == []


@unhurried
@given(st.text())
def test_any_text_parses_or_is_refused(text: str) -> None:
    """Nothing but a PolicyError leaves the parser, whatever the text."""
    assert [found for found in problems(text) if not found.startswith("server.toml: ")] == []


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "port = " + "1" * 5000, f'memory = "{"9" * 400}"'])
def test_an_absurd_text_is_refused(text: str) -> None:
    """Depth and length end in a PolicyError too."""
    assert problems(text) != ()


# The folder


def test_the_shipped_folder_loads() -> None:
    """What is in this repository starts."""
    loaded = configuration.load()
    assert (sorted(loaded.policies), loaded.settings) == (["cpp", "python"], settings.parse(TEXT))


def test_a_policy_is_named_after_its_file(tmp_path: Path) -> None:
    """A new language is a file."""
    (tmp_path / "server.toml").write_text(BOX, encoding="utf-8")
    (tmp_path / "box.toml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a policy", encoding="utf-8")
    loaded = configuration.load(tmp_path)
    assert {name: policy.name for name, policy in loaded.policies.items()} == {"box": "box"}


def test_what_is_not_served_is_not_read(tmp_path: Path) -> None:
    """But for the one that a command asks for; and `check` reads them all."""
    (tmp_path / "server.toml").write_text(BOX, encoding="utf-8")
    (tmp_path / "box.toml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "other.toml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "wrong.toml").write_text("nonsense", encoding="utf-8")
    assert set(configuration.load(tmp_path).policies) == {"box"}
    assert set(configuration.load(tmp_path, also="other").policies) == {"box", "other"}
    assert set(configuration.load(tmp_path, also="none").policies) == {"box"}
    assert configuration.languages(tmp_path) == ["box", "other", "wrong"]
    with pytest.raises(PolicyError, match=r"wrong\.toml"):
        configuration.load(tmp_path, also="wrong")


def test_the_problems_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    """Whoever starts a server sees everything that has to be mended, file by file."""
    limits = {**LIMITS, "wall-time": 0, "output": 0}
    (tmp_path / "server.toml").write_text(changed(port=-1), encoding="utf-8")
    (tmp_path / "a.toml").write_text(toml_text({**BASE, "limits": limits}), encoding="utf-8")
    (tmp_path / "b.toml").write_text("title = ", encoding="utf-8")
    (tmp_path / "c.toml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "d.toml").write_text(
        toml_text({**BASE, "docker-run": list(replaced("--network=host"))}), encoding="utf-8"
    )
    assert folder_problems(tmp_path) == (
        "server.toml: port must be from 0 to 65535",
        "a.toml: limits: wall-time must be from 0.1 to 3600",
        "a.toml: limits: output must be from 1 to 1.67772e+07",
        "b.toml: Invalid value (at end of document)",
        "d.toml: --network=host: must be none",
    )


def with_profile(folder: Path, profile: Path) -> Path:
    """A folder whose policy names this profile."""
    (folder / "server.toml").write_text(BOX, encoding="utf-8")
    (folder / "box.toml").write_text(POLICY.replace("policies/seccomp.json", str(profile)), encoding="utf-8")
    return folder


def test_a_policy_carries_the_digest_of_its_profile(tmp_path: Path) -> None:
    """sha256sum of the file: what docker's client reads is known to whoever reads the policy."""
    profile = tmp_path / "own.json"
    profile.write_bytes(b'{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": []}\r\n')
    loaded = configuration.load(with_profile(tmp_path, profile)).policies["box"]
    assert loaded.profile == hashlib.sha256(profile.read_bytes()).hexdigest()


def test_a_policy_that_waives_its_profile_has_no_digest(tmp_path: Path) -> None:
    """There is no file to read then."""
    lines = [line for line in BASE["docker-run"] if "seccomp" not in line]
    waivers = {"--security-opt": "the engine's own profile is newer here"}
    (tmp_path / "server.toml").write_text(BOX, encoding="utf-8")
    text = toml_text({**BASE, "docker-run": lines, "waivers": waivers})
    (tmp_path / "box.toml").write_text(text, encoding="utf-8")
    assert configuration.load(tmp_path).policies["box"].profile == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read from where the server is started: [Errno 2] No such file or directory"),
        (b"\xff", "cannot be read from where the server is started: 'utf-8' codec can't decode byte 0xff"),
        (b"{", "must be JSON: "),
        (b"{}", "defaultAction must deny what the profile does not name: write SCMP_ACT_ERRNO"),
    ],
)
def test_a_profile_that_is_no_boundary_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    """The server does not start; file, line and remedy are named as for every other problem."""
    profile = tmp_path / "own.json"
    if content is not None:
        profile.write_bytes(content)
    (found,) = folder_problems(with_profile(tmp_path, profile))
    assert found.startswith(f"box.toml: --security-opt=seccomp={profile}: {said}")


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """A file in another encoding is named beside the problems of the others."""
    (tmp_path / "server.toml").write_text(BOX, encoding="utf-8")
    (tmp_path / "box.toml").write_bytes(b'title = "\xff"')
    said = "box.toml: cannot be read: 'utf-8' codec can't decode byte 0xff in position 9: invalid start byte"
    assert folder_problems(tmp_path) == (said,)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A folder in the place of a file, a link to nowhere: named, never passed over."""
    (tmp_path / "server.toml").write_text(changed(languages=["box", "gone"]), encoding="utf-8")
    (tmp_path / "box.toml").mkdir()
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nowhere")
    assert folder_problems(tmp_path) == (
        f"box.toml: cannot be read: [Errno 21] Is a directory: '{tmp_path}/box.toml'",
        f"gone.toml: cannot be read: [Errno 2] No such file or directory: '{tmp_path}/gone.toml'",
    )


@pytest.mark.parametrize("name", [".", "missing"])
def test_a_folder_without_files_is_refused(tmp_path: Path, name: str) -> None:
    """No settings, no service."""
    folder = tmp_path / name
    said = f"server.toml: cannot be read: [Errno 2] No such file or directory: '{folder}/server.toml'"
    assert folder_problems(folder) == (said,)


def test_a_folder_without_a_policy_is_refused(tmp_path: Path) -> None:
    """A runner of no language is a mistake."""
    (tmp_path / "server.toml").write_text(BOX, encoding="utf-8")
    assert folder_problems(tmp_path) == ("server.toml: languages: there is no box.toml beside this file",)
