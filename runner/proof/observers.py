"""How an observer is made: it looks at one claim of a policy and says what it saw, or None where it saw nothing."""

from collections.abc import Callable
from errno import errorcode

from runner.proof.seen import Claim, Said, Seen

Observer = Callable[[Claim, Seen], Said | None]


def attempt(name: str, what: str, *ends: int) -> Observer:
    """What the probe tried: it must have ended with one of these error numbers; 0 is that it worked."""

    def look(claim: Claim, seen: Seen) -> Said | None:
        answer = seen.answer(name)
        if answer is None:
            return None
        ending = errorcode.get(answer.error, f"signal {-answer.error}") if answer.error else "was possible"
        return Said(f"{what}: {ending}", answer.error in ends)

    return look


def status(*names: str, want: str) -> Observer:
    """Lines of /proc/self/status that must all be this number."""

    def look(claim: Claim, seen: Seen) -> Said | None:
        found = [seen.status(name) for name in names]
        if None in found:
            return None
        pairs = ", ".join(f"{name} {text}" for name, text in zip(names, found, strict=True))
        return Said(pairs, set(found) == {want})

    return look


def cgroup(names: tuple[str, ...], want: Callable[[Claim], tuple[str, ...]]) -> Observer:
    """The first of these files of the container's cgroups that is there, and what it may say."""

    def look(claim: Claim, seen: Seen) -> Said | None:
        found = next((name for name in names if seen.cgroup(name) is not None), None)
        if found is None:
            return None
        text = seen.cgroup(found) or ""
        return Said(f"{found.rpartition('/')[2]} {text}", text in want(claim))

    return look


def file(name: str, *alternatives: str) -> Observer:
    """A file that holds the value and nothing else."""

    def look(claim: Claim, seen: Seen) -> Said | None:
        text = seen.file(name, *alternatives)
        return None if text is None else Said(text.replace("\t", " "), text == claim.value)

    return look


def own_namespace(kind: str) -> Observer:
    """Not the one that this observer itself lives in."""

    def look(claim: Claim, seen: Seen) -> Said | None:
        inside, outside = seen.answer(f"ns:{kind}"), (seen.namespaces or {}).get(kind)
        if inside is None or inside.error or outside is None:
            return None
        own = inside.text != outside
        return Said(f"its own {kind} namespace" if own else f"the host's {kind} namespace", own)

    return look


def resolver(word: str) -> Observer:
    """The lines of /etc/resolv.conf: those of the policy and no other; docker writes no line for `.`."""

    def look(claim: Claim, seen: Seen) -> Said | None:
        text = seen.file("/etc/resolv.conf")
        if text is None:
            return None
        lines = [line.split() for line in text.splitlines()]
        found = [value for line in lines if line[:1] == [word] for value in line[1:] if value != "."]
        wanted = [value for value in claim.values(claim.flag) if value != "."]
        return Said(f"{word} {' '.join(found) or 'none'}", found == wanted)

    return look


def together(found: list[Said | None]) -> Said | None:
    """Several observations of one claim; nothing was seen where one of them saw nothing."""
    there = [said for said in found if said]
    whole = len(there) == len(found) and Said("; ".join(said.text for said in there), all(s.holds for s in there))
    return whole or None
