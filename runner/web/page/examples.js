/** What to begin with. Each has a name, its code, and perhaps what is beside it; `open`: it runs in a terminal. */

/** @typedef {{name: string, code: string, input?: string, open?: boolean, args?: string,
 *   files?: import("./files.js").Named[]}} Example */

const WEEK = { name: "week.csv", content: "day,degrees\nMonday,11.5\nTuesday,14\nWednesday,9.5\n" };
const code = (/** @type {TemplateStringsArray} */ text) => String.raw(text).trimStart();

/** @type {Record<string, Example[]>} */
export const EXAMPLES = {
  python: [
    {
      name: "Hello",
      code: code`
import platform

print("Hello from Python", platform.python_version())
`,
    },
    {
      name: "Input: a sum",
      code: code`
import sys

numbers = [int(word) for word in sys.stdin.read().split()]
print(f"{len(numbers)} numbers, their sum is {sum(numbers)}")
`,
      input: "1 2 3\n40\n",
    },
    {
      name: "Questions and answers",
      code: code`
name = input("What is your name? ")
print(f"Hello, {name}!")
colour = input("Which colour do you like? ")
print(f"{name} likes {colour}.")
`,
      input: "Ada\n",
      open: true,
    },
    {
      name: "A file and arguments",
      code: code`
import csv
import sys

name, column = sys.argv[1:]
with open(name, newline="") as file:
    values = [float(row[column]) for row in csv.DictReader(file)]
print(f"{name}: {len(values)} values of {column!r}, from {min(values)} to {max(values)}")
`,
      args: "week.csv degrees",
      files: [WEEK],
    },
    {
      name: "A picture and a table",
      code: code`
import csv
import math

points = [(degrees, math.sin(math.radians(degrees))) for degrees in range(0, 721, 10)]

# What is left in this folder comes back.
with open("results/sine.csv", "w", newline="") as file:
    csv.writer(file).writerows([("degrees", "sine"), *((x, round(y, 3)) for x, y in points)])

line = " ".join(f"{x},{110 - 100 * y:.1f}" for x, y in points)
with open("results/sine.svg", "w") as file:
    file.write(f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 220" width="720">
      <line x2="720" y1="110" y2="110" stroke="#bbb"/>
      <polyline points="{line}" fill="none" stroke="#14666e" stroke-width="4"/>
    </svg>""")
print(len(points), "points")
`,
    },
    {
      name: "Output as it comes",
      code: code`
import sys
import time

for number in range(1, 6):
    print(f"step {number} of 5")
    if number == 3:
        print("this line goes to stderr", file=sys.stderr)
    time.sleep(0.3)
`,
    },
    {
      name: "Colours",
      code: code`
for number in range(16):
    print(f"\x1b[38;5;{number}m{number:>3} \x1b[48;5;{number}m  \x1b[0m", end="\n" if number % 8 == 7 else "")
print("\x1b[1mbold\x1b[0m \x1b[3mitalic\x1b[0m \x1b[4munderlined\x1b[0m \x1b[38;2;217;119;6mtrue colour\x1b[0m")
`,
    },
    { name: "Syntax error", code: "print('almost'\n" },
    { name: "An exception", code: code`
def average(numbers):
    return sum(numbers) / len(numbers)

print(average([1, 2, 3]))
print(average([]))
` },
    { name: "Exit code 3", code: "raise SystemExit(3)\n" },
    { name: "Too long", code: 'print("This never ends by itself.")\nwhile True:\n    pass\n' },
    { name: "Too much memory", code: "data = []\nwhile True:\n    data.append(bytearray(10_000_000))\n" },
    { name: "Too much output", code: 'while True:\n    print("again and again")\n' },
    {
      name: "Too many processes",
      code: code`
import os
import time

started = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(1)
            os._exit(0)
        started += 1
except BlockingIOError as error:
    print(f"{started} processes, then: {error.strerror}")
`,
    },
    {
      name: "The network",
      code: code`
import os
import socket

print("interfaces:", os.listdir("/sys/class/net"))
socket.create_connection(("1.1.1.1", 53))
`,
    },
  ],
  cpp: [
    {
      name: "Hello",
      code: code`
#include <iostream>

int main() {
    std::cout << "Hello from C++ " << __cplusplus / 100 % 100 << '\n';
}
`,
    },
    {
      name: "Input: a sum",
      code: code`
#include <iostream>

int main() {
    long long sum = 0, count = 0;
    for (long long number; std::cin >> number; ++count) sum += number;
    std::cout << count << " numbers, their sum is " << sum << '\n';
}
`,
      input: "1 2 3\n40\n",
    },
    {
      name: "Questions and answers",
      code: code`
#include <iostream>
#include <string>

int main() {
    std::string name, colour;
    std::cout << "What is your name? " << std::flush;
    std::getline(std::cin, name);
    std::cout << "Hello, " << name << "!\nWhich colour do you like? " << std::flush;
    std::getline(std::cin, colour);
    std::cout << name << " likes " << colour << ".\n";
}
`,
      input: "Ada\n",
      open: true,
    },
    {
      name: "A file and arguments",
      code: code`
#include <fstream>
#include <iostream>
#include <string>

int main(int argc, char* argv[]) {
    if (argc < 2) return 2;
    std::ifstream file(argv[1]);
    long long lines = 0;
    for (std::string line; std::getline(file, line); ++lines) {
        if (argc < 3 || line.contains(argv[2])) std::cout << line << '\n';
    }
    std::cout << argv[1] << " has " << lines << " lines\n";
}
`,
      args: "week.csv 14",
      files: [WEEK],
    },
    {
      name: "A table",
      code: code`
#include <fstream>

int main() {
    std::ofstream file("results/squares.csv"); // what is left in this folder comes back
    file << "n,square\n";
    for (int n = 1; n <= 20; ++n) file << n << ',' << n * n << '\n';
}
`,
    },
    {
      name: "Compile error",
      code: code`
#include <string>

int main() {
    std::string text = 42;
    return text.length;
}
`,
    },
    {
      name: "A warning",
      code: code`
#include <cstdio>

int main() {
    unsigned char small = 300;
    std::printf("%d\n", small);
}
`,
    },
    { name: "Memory that is not its own", code: code`
#include <iostream>

int main() {
    int* nowhere = nullptr;
    std::cout << "before" << std::endl;
    *nowhere = 1;
}
` },
    { name: "An exception", code: code`
#include <vector>

int main() {
    std::vector<int> numbers{1, 2, 3};
    return numbers.at(7);
}
` },
    { name: "Too long", code: code`
#include <iostream>

int main() {
    std::cout << "This never ends by itself." << std::endl;
    for (volatile unsigned long n = 0;; ++n) {}
}
` },
    { name: "Too much memory", code: code`
#include <vector>
#include <string>

int main() {
    for (std::vector<std::string> data;;) data.emplace_back(10'000'000, 'x');
}
` },
  ],
};
