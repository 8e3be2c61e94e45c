/** What to begin with. Each has a name, its code, and perhaps what is beside it; `open`: it runs in a terminal. */

/** @typedef {{name: string, code: string, input?: string, open?: boolean, args?: string,
 *   files?: import("./files.js").Named[]}} Example */

const WEEK = { name: "week.csv", content: "day,degrees\nMonday,11.5\nTuesday,14\nWednesday,9.5\n" };
const code = (/** @type {TemplateStringsArray} */ text) => String.raw(text).trimStart();

/** What every language begins with. @param {string} hello @param {string} sum @returns {Example[]} */
const two = (hello, sum, input = "1 2 3\n40\n") => [
  { name: "Hello", code: hello },
  { name: "Input: a sum", code: sum, input },
];

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
  bash: two(code`
echo "Hello from Bash $BASH_VERSION"
`, code`
sum=0 count=0
for number in $(cat); do sum=$((sum + number)) count=$((count + 1)); done
echo "$count numbers, their sum is $sum"
`),
  c: two(code`
#include <stdio.h>

int main(void) {
    puts("Hello from C");
}
`, code`
#include <stdio.h>

int main(void) {
    long sum = 0, count = 0;
    for (long number; scanf("%ld", &number) == 1; count++) sum += number;
    printf("%ld numbers, their sum is %ld\n", count, sum);
}
`),
  csharp: two(code`
using System;

class Program {
    static void Main() => Console.WriteLine("Hello from C#");
}
`, code`
using System;
using System.Linq;

class Program {
    static void Main() {
        var words = Console.In.ReadToEnd().Split((char[])null, StringSplitOptions.RemoveEmptyEntries);
        Console.WriteLine("{0} numbers, their sum is {1}", words.Length, words.Sum(long.Parse));
    }
}
`),
  go: two(code`
package main

import (
	"fmt"
	"runtime"
)

func main() {
	fmt.Println("Hello from", runtime.Version())
}
`, code`
package main

import "fmt"

func main() {
	sum, count, number := 0, 0, 0
	for {
		if _, err := fmt.Scan(&number); err != nil {
			break
		}
		sum += number
		count++
	}
	fmt.Println(count, "numbers, their sum is", sum)
}
`),
  haskell: two(code`
main :: IO ()
main = putStrLn "Hello from Haskell"
`, code`
main :: IO ()
main = do
  numbers <- map read . words <$> getContents :: IO [Int]
  putStrLn (show (length numbers) ++ " numbers, their sum is " ++ show (sum numbers))
`),
  java: two(code`
public class Main {
    public static void main(String[] args) {
        System.out.println("Hello from Java " + Runtime.version().feature());
    }
}
`, code`
import java.util.Scanner;

public class Main {
    public static void main(String[] args) {
        Scanner input = new Scanner(System.in);
        long sum = 0, count = 0;
        for (; input.hasNextLong(); count++) sum += input.nextLong();
        System.out.println(count + " numbers, their sum is " + sum);
    }
}
`),
  javascript: two(code`
console.log("Hello from Node", process.version);
`, code`
const numbers = require("fs").readFileSync(0, "utf8").split(/\s+/).filter(Boolean).map(Number);
const sum = numbers.reduce((a, b) => a + b, 0);
console.log(numbers.length + " numbers, their sum is " + sum);
`),
  lua: two(code`
print("Hello from " .. _VERSION)
`, code`
local sum, count = 0, 0
for number in io.read("a"):gmatch("%d+") do
  sum, count = sum + number, count + 1
end
print(count .. " numbers, their sum is " .. sum)
`),
  pascal: two(code`
begin
  writeln('Hello from Pascal');
end.
`, code`
var
  sum, count, number: int64;
begin
  sum := 0;
  count := 0;
  while not SeekEof do begin
    read(number);
    sum := sum + number;
    count := count + 1;
  end;
  writeln(count, ' numbers, their sum is ', sum);
end.
`),
  perl: two(code`
print "Hello from Perl $^V\n";
`, code`
use strict;
use warnings;
use List::Util 'sum0';

my @numbers = map { split } <STDIN>;
print scalar(@numbers), " numbers, their sum is ", sum0(@numbers), "\n";
`),
  php: two(code`
<?php
echo "Hello from PHP ", PHP_VERSION, "\n";
`, code`
<?php
$numbers = preg_split('/\s+/', trim(stream_get_contents(STDIN)));
echo count($numbers), " numbers, their sum is ", array_sum($numbers), "\n";
`),
  "python-data": [
    ...two(code`
import numpy, pandas, matplotlib, scipy

for package in numpy, pandas, matplotlib, scipy:
    print("Hello from", package.__name__, package.__version__)
`, code`
import sys

import numpy as np

numbers = np.array(sys.stdin.read().split(), dtype=int)
print(f"{len(numbers)} numbers, their sum is {numbers.sum()}")
`),
    {
      name: "A plot",
      code: code`
import matplotlib.pyplot as plt
import numpy as np

x = np.linspace(0, 4 * np.pi, 400)
plt.plot(x, np.sin(x), x, np.cos(x))
plt.savefig("results/waves.png")  # what is left in this folder comes back
`,
    },
  ],
  r: two(code`
cat("Hello from", R.version.string, "\n")
`, code`
numbers <- scan(file("stdin"), quiet = TRUE)
cat(length(numbers), "numbers, their sum is", sum(numbers), "\n")
`),
  ruby: two(code`
puts "Hello from Ruby #{RUBY_VERSION}"
`, code`
numbers = $stdin.read.split.map(&:to_i)
puts "#{numbers.size} numbers, their sum is #{numbers.sum}"
`),
  rust: two(code`
fn main() {
    println!("Hello from Rust");
}
`, code`
use std::io::{read_to_string, stdin};

fn main() {
    let text = read_to_string(stdin()).unwrap();
    let numbers: Vec<i64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    println!("{} numbers, their sum is {}", numbers.len(), numbers.iter().sum::<i64>());
}
`),
  sql: two(code`
SELECT 'Hello from SQLite ' || sqlite_version();
`, code`
CREATE TABLE numbers (number INTEGER);
.import /dev/stdin numbers
SELECT count(*) || ' numbers, their sum is ' || sum(number) FROM numbers;
`, "1\n2\n3\n40\n"),
  typescript: two(code`
const version: string = process.version;
console.log("Hello from TypeScript on Node", version);
`, code`
import { readFileSync } from "node:fs";

const numbers: number[] = readFileSync(0, "utf8").split(/\s+/).filter(Boolean).map(Number);
const sum: number = numbers.reduce((a, b) => a + b, 0);
console.log(numbers.length + " numbers, their sum is " + sum);
`),
};
