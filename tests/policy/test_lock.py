"""What was reviewed, and how the present differs from it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import PolicyError
from runner.policy import argv, configuration, lock
from tests.commands.test_cli import runner
from tests.harness import ROOT, copy_policies, docker

POLICIES = configuration.load().policies
ENTRIES = {name: lock.entry(policy, "sha256:" + "a" * 64) for name, policy in POLICIES.items()}


def test_the_committed_lock_is_that_of_the_policies() -> None:
    """Whoever changes a flag writes the lock anew; the images are each machine's own."""
    locked = lock.parse((ROOT / "policies" / lock.FILE).read_text())
    assert list(lock.differences(locked, ENTRIES, images=False)) == []


def test_a_lock_has_one_argument_a_line() -> None:
    """A changed flag is a changed line."""
    lines = lock.render(ENTRIES).split("\n")
    for policy in POLICIES.values():
        for word in argv.template(policy)[:-1]:
            assert f"      {json.dumps(word)}," in lines


def test_what_is_written_is_read() -> None:
    """Without a difference."""
    assert lock.parse(lock.render(ENTRIES)) == ENTRIES
    assert list(lock.differences(ENTRIES, ENTRIES)) == []


@given(data=st.data())
def test_each_changed_flag_is_named(data: st.DataObject) -> None:
    """Removed, added and changed lines, and no other."""
    policy = POLICIES["python"]
    index = data.draw(st.integers(0, len(policy.docker_run) - 1))
    other = data.draw(st.sampled_from([(), ("--changed=1",)]))
    changed = replace(policy, docker_run=(*policy.docker_run[:index], *other, *policy.docker_run[index + 1 :]))
    found = list(lock.differences({"python": ENTRIES["python"]}, {"python": lock.entry(changed, "sha256:" + "a" * 64)}))
    wanted = [("python", f"command: - {policy.docker_run[index]}"), *(("python", f"command: + {o}") for o in other)]
    assert sorted(found) == sorted(wanted)


def test_what_is_not_a_flag_is_compared_too() -> None:
    """Another image, another file, another language, a lock that was edited."""
    python, image = POLICIES["python"], "sha256:" + "a" * 64
    one = {"python": ENTRIES["python"]}
    assert list(lock.differences(one, {})) == [("python", "is in the lock, and has no policy")]
    assert list(lock.differences({}, one)) == [("python", "is not in the lock")]
    assert list(lock.differences(one, {"python": lock.entry(python, None)})) == [
        ("python", f"image: locked {image}, now not there")
    ]
    changed = {"python": lock.entry(replace(python, digest="b" * 64), image)}
    assert list(lock.differences(one, changed)) == [
        ("python", f"policy: the file differs beside its command: locked sha256:{python.digest}, now sha256:{'b' * 64}")
    ]
    changed = {"python": lock.entry(replace(python, profile="b" * 64), image)}
    assert [said.partition(":")[0] for _, said in lock.differences(one, changed)] == ["profile"]
    edited = {"python": {**ENTRIES["python"], "digest": "sha256:0"}}
    assert list(lock.differences(edited, one)) == [
        ("python", "digest: is not that of the locked command: the lock was edited by hand")
    ]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"python": {}}', '{"a": 1}', "[" * 100_000])
def test_what_is_no_lock_is_refused(text: str) -> None:
    """With the remedy."""
    with pytest.raises(PolicyError, match=r"^lock\.json(:1)?: is not .*python -m runner lock$"):
        lock.parse(text)


@pytest.mark.parametrize(
    ("image", "identity"),
    [
        ("box:3", "sha256:1"),
        ("sha256:1", "sha256:1"),
        ("127.0.0.1:5000/box:3", "127.0.0.1:5000/box@sha256:2"),
        ("127.0.0.1:5000/box", "127.0.0.1:5000/box@sha256:2"),
        ("127.0.0.1:5000/box@sha256:2", "127.0.0.1:5000/box@sha256:2"),
        ("example.org/a/box:3@sha256:2", "example.org/a/box@sha256:2"),
    ],
)
def test_an_image_is_what_the_repository_of_its_name_says(image: str, identity: str) -> None:
    """Else its id: that it was pushed somewhere makes it no other."""
    digests = ("127.0.0.1:5000/box@sha256:2", "example.org/a/box@sha256:2", "example.org/box@sha256:2")
    assert lock.identity(image, "sha256:1", *digests) == identity
    assert lock.identity(image, "sha256:1") == "sha256:1"


# As an ops person uses it


def pin(edit: dict[str, tuple[str, str]], language: str) -> str:
    """Names the image of a policy by its id."""
    image = f"code-runner-{language}:3"
    identity = docker("image", "inspect", "--format={{.Id}}", image).strip()
    edit[f"{language}.toml"] = (image, identity)
    return identity


@pytest.mark.usefixtures("engine")
def test_lock_then_diff_then_a_changed_flag(tmp_path: Path) -> None:
    """0: nothing differs, 1: something does, and what; 2: there is no lock."""
    folder = copy_policies(tmp_path, {}, {})
    (folder / lock.FILE).unlink()
    words = ("--policies", str(folder))
    code, _, err = runner(*words, "diff")
    assert (code, err.startswith("lock.json: cannot be read")) == (2, True)
    assert runner(*words, "lock")[0] == 0
    assert runner(*words, "diff") == (0, "nothing differs from the lock\n", "")
    text = (folder / "python.toml").read_text()
    (folder / "python.toml").write_text(text.replace("--pids-limit=64", "--pids-limit=100"))
    said = ["python: command: - --pids-limit=64", "python: command: + --pids-limit=100"]
    assert runner(*words, "diff") == (1, "\n".join(said) + "\n", "")
    code, out, _ = runner(*words, "diff", "--json")
    assert (code, [f"{each['language']}: {each['difference']}" for each in json.loads(out)]) == (1, said)


@pytest.mark.usefixtures("engine")
def test_a_lock_that_is_demanded_is_kept(tmp_path: Path) -> None:
    """Tags, changed flags and other images are refused at start, all at once."""
    folder = copy_policies(tmp_path, {"lock": True}, {})
    words = ("--policies", str(folder))
    code, _, err = runner(*words, "check")
    tag = "image must be NAME@sha256:... or sha256:..., for the lock is demanded and a tag can be moved"
    assert (code, f"python.toml: {tag}" in err, f"cpp.toml: {tag}" in err) == (2, True, True)

    edit: dict[str, tuple[str, str]] = {}
    (tmp_path / "pinned").mkdir()
    identities = {language: pin(edit, language) for language in ("python", "cpp")}
    folder = copy_policies(tmp_path / "pinned", {"lock": True}, edit)
    words = ("--policies", str(folder))
    assert runner(*words, "lock")[0] == 0
    assert runner(*words, "check")[0] == 0
    program = tmp_path / "program.py"
    program.write_text("print(6 * 7)")
    assert runner(*words, "run", "python", str(program))[0] == 0

    text = (folder / "python.toml").read_text()
    (folder / "python.toml").write_text(text.replace("--cpus=1", "--cpus=2"))
    code, _, err = runner(*words, "run", "python", str(program))
    assert (code, err.splitlines()) == (
        2,
        [
            "python.toml: differs from lock.json: command: - --cpus=1",
            "python.toml: differs from lock.json: command: + --cpus=2",
        ],
    )
    (folder / "python.toml").write_text(text)
    locked = (folder / lock.FILE).read_text()
    wrong = identities["python"][:-4] + "0000"
    (folder / lock.FILE).write_text(locked.replace(f'"image": "{identities["python"]}"', f'"image": "{wrong}"'))
    code, _, err = runner(*words, "run", "python", str(program))
    assert (code, err) == (
        2,
        f"python.toml: differs from lock.json: image: locked {wrong}, now {identities['python']}\n",
    )
