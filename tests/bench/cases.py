"""The programs that are measured."""

from dataclasses import dataclass

PYTHON_SUM = b"import sys\nprint(sum(map(int, sys.stdin.read().split())))\n"
CPP_SUM = b"""
int main() {
    long long sum = 0, next;
    while (std::cin >> next) sum += next;
    std::cout << sum << std::endl;
}
"""
ENDLESS = b"while True: pass\n"
SEVERAL = 20


@dataclass(frozen=True, slots=True)
class Case:
    """A program, what it reads, and what it must print."""

    name: str
    language: str
    source: bytes
    inputs: tuple[bytes, ...]
    expected: tuple[bytes, ...]

    @property
    def several(self) -> bool:
        """Whether one request has many inputs."""
        return len(self.inputs) > 1


def summed(name: str, language: str, source: bytes, inputs: int = 1) -> Case:
    """The sum of a thousand numbers, of each input."""
    numbers = [range(start, start + 1000) for start in range(inputs)]
    texts = tuple(" ".join(map(str, values)).encode() for values in numbers)
    return Case(name, language, source, texts, tuple(b"%d\n" % sum(values) for values in numbers))


PYTHON = summed("python", "python", PYTHON_SUM)
IOSTREAM = summed("C++ <iostream>", "cpp", b"#include <iostream>\n" + CPP_SUM)
BITS = summed("C++ <bits/stdc++.h>", "cpp", b"#include <bits/stdc++.h>\n" + CPP_SUM)
PYTHON_SEVERAL = summed(f"python, {SEVERAL} inputs", "python", PYTHON_SUM, SEVERAL)
TIMEOUT = Case("timeout", "python", ENDLESS, (b"",), (b"",))
SEQUENTIAL = (PYTHON, IOSTREAM, BITS, PYTHON_SEVERAL)
