"""An interpreter that was started ahead does what a plain one does, byte for byte, whatever the source looks like."""

import tomllib
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.harness import ROOT, Server, serving

pytestmark = pytest.mark.languages

HELPERS: Final = {
    "javascript": {"helper.js": "module.exports = __filename;\nconsole.log(module.parent.filename);\n"},
    "ruby": {"helper.rb": "HELPER = __FILE__\np caller\n"},
    "php": {"helper.php": "<?php return [__FILE__, get_included_files()];"},
    "perl": {"Helper.pm": "package Helper; print join(' ', __FILE__, caller), qq{\\n}; 1;\n"},
    "lua": {"helper.lua": "print(..., debug.traceback())\nreturn 42\n"},
    "bash": {"helper.sh": 'echo "helper $# $LINENO ${FUNCNAME[*]}"\nreturn 3\n'},
}
SOURCES: Final[dict[str, tuple[str, ...]]] = {
    "javascript": (
        "",
        "console.log(__filename, __dirname, require.main === module, module.paths, process.argv, process.execArgv)",
        "const fs = require('fs');\nconsole.log(fs.readFileSync(__filename, 'utf8'), fs.statSync(__filename).isFile(), fs.readdirSync('.'))",
        "#!/usr/bin/env node\nconsole.log(new Error('here').stack)\n\nthrow new TypeError('é')",
        "\ufeffconsole.log(new Error('after a BOM').stack.split('\\n')[1])",
        "\ufeff#!/usr/bin/node\nconsole.log(1)",
        "let a = 1;\r\nlet a = 2;\r\n",
        "console.log('never');\n\nlet b = {;",
        "import fs from 'node:fs';\nconsole.log(import.meta.url, fs.existsSync('main.js'), typeof require);\nawait 1;\nthrow new Error('module')",
        "export const a = 1;\nconsole.log(a, this)\n",
        "const a = await Promise.resolve(7); console.log(a)",
        "console.log(require('./helper'));\nprocess.stdin.on('data', (data) => console.log(String(data)))",
        "new Worker(1)",
        "const { Worker, isMainThread } = require('worker_threads'); console.log(isMainThread, __filename);\nif (isMainThread) new Worker(__filename)",
        "console.log(1) // " + "x" * 65000,
        "process.on('exit', (c) => console.log('bye', c)); Promise.reject(new Error('unhandled'))",
        "//# sourceMappingURL=nowhere.map\nconsole.log(require.resolve('./main.js'), Object.keys(require.cache));\nrequire('./main.js')",
        "'use strict';\nundefinedName = 1",
        "return 5",
        "console.log(process.title, process.env.HOME, process.stdout.isTTY, process.uptime() < 600)",
    ),
    "ruby": (
        "",
        "p __FILE__, $0, __dir__, $PROGRAM_NAME, __FILE__ == $0, __LINE__, __method__, ARGV, caller, DATA rescue p $!",
        "puts File.read(__FILE__), File.file?(__FILE__), Dir.children('.').sort, File.size($0)",
        "#!/usr/bin/env ruby -w\nx = 1\nputs $VERBOSE\ndef f; raise ArgumentError, 'é'; end\nf",
        "\ufeffp __ENCODING__, 'é'.length\nraise 'x'",
        "# encoding: ascii-8bit\np 'é'.length, __ENCODING__",
        "# -*- coding: euc-jp -*-\np __ENCODING__\nputs 'é'",
        "# encoding: nonsense\nputs 1",
        "# frozen_string_literal: true\n'a' << 'b'",
        "puts 'never'\n\ndef x\n  1 +\n",
        "puts DATA.read, DATA.pos, DATA.lineno, DATA.path\nDATA.rewind\nputs DATA.read\n__END__\nline é\n",
        "require_relative 'helper'\nrequire './helper'\np HELPER, $LOADED_FEATURES.last, $stdin.read, $stdout.sync",
        "p RubyVM::InstructionSequence.of(method(:puts)).nil?, binding.source_location\nputs eval('__FILE__')\nload __FILE__ unless defined?(A) || A = 1",
        "#!/bin/sh\necho this is a shell",
        "#!/usr/bin/perl\nprint 'perl'",
        "puts 1 # " + "x" * 65000,
        "BEGIN { puts 'first' }\nEND { puts 'last' }\nat_exit { puts $!.inspect }\nexit! if false\nabort 'bye'",
        "puts <<~A\n  here\r\nA\n",
        "=begin\ncomment\n=end\np SCRIPT_LINES__ rescue p $!.message\n1.foo",
        "pid = fork { puts 'child' }\nProcess.wait pid\nprint 'a'\n$stderr.puts $$.class",
    ),
    "php": (
        "",
        "no php at all\n",
        "<?php var_dump(__FILE__, __DIR__, __LINE__, $argv, $argc, $_SERVER['SCRIPT_FILENAME'], $_SERVER['PHP_SELF'], get_included_files(), PHP_SAPI);",
        "<?php echo file_get_contents(__FILE__), filesize(__FILE__), is_file(__FILE__), implode(' ', scandir('.')), getmyinode() == fileinode(__FILE__), getlastmod() == filemtime(__FILE__), get_current_user();",
        "#!/usr/bin/php\n<?php\necho __LINE__;\nthrow new Exception('é');",
        "\ufeff<?php echo __LINE__;",
        "<?php\n\n$a = ;",
        "<?php\necho __COMPILER_HALT_OFFSET__, stream_get_contents(fopen(__FILE__, 'r'), -1, __COMPILER_HALT_OFFSET__);\n__halt_compiler();rest é",
        "<?php declare(strict_types=1);\nfunction f(int $a) { return $a; }\necho f('1');",
        "<?php print_r(require 'helper.php'); print_r(include __DIR__ . '/helper.php'); echo stream_get_contents(STDIN);",
        "<?php highlight_file(__FILE__); echo php_strip_whitespace(__FILE__); debug_print_backtrace(); echo $undefined;",
        "<html><?= 1 + 1 ?>\n</html>\n<?php exit(7) ?>",
        "<?php\r\necho 1; // " + "x" * 65000,
        "<?php ini_set('display_errors', 1); echo 1 / 0;",
        "<?php declare(encoding='ISO-8859-1'); echo 'é';",
        "<?php if (!defined('A')) { define('A', 1); include __FILE__; } echo 'x';",
        "<?php var_dump(stat(__FILE__)['size'], realpath('main.php'), realpath_cache_size() >= 0, (new ReflectionFunction(function() {}))->getFileName());",
    ),
    "perl": (
        "",
        "print join(' ', __FILE__, $0, __LINE__, __PACKAGE__, $^X, $$ > 0, @ARGV, $|), qq{\\n}; warn 'here'; die",
        "open my $own, '<', $0 or die $!; print <$own>; print -s $0, ' ', -f $0, ' ', join(',', sort glob '*'), qq{\\n}",
        "#!/usr/bin/perl -w\nmy $x; my $y = $x + 1; print $^W, qq{\\n};\ndie {a => 1}",
        "#!/usr/bin/perl -T\nprint 1",
        "#!perl -l\nprint 1; print 2",
        "#!/bin/bash\necho this is bash $0",
        "\ufeffprint length('é'), __LINE__; die 'x'",
        "use utf8; use open ':std', ':utf8'; print length('é'), 'é'; die 'é'",
        "print 'never';\n\nmy $a = ;\n",
        "print <DATA>; print tell DATA; seek DATA, 0, 0; print <DATA>; print -s DATA\n__DATA__\nline é\n",
        "print __LINE__; print defined fileno DATA ? 1 : 0;\n__END__\nnot code\n",
        "use lib '.'; use Helper; require './Helper.pm'; do './Helper.pm'; print $INC{'Helper.pm'}, <STDIN>",
        "# line 70 \"elsewhere.pl\"\nwarn 'x'; sub f { print join ' ', caller }\nf(); eval 'die'; print $@; eval { die }; print $@",
        "BEGIN { print 'first' } END { print 'last', $? } exit 4",
        "=pod\n\nnothing\n\n=cut\n\nprint __LINE__\r\n;",
        "print 1; # " + "x" * 65000,
        "if (my $pid = fork) { waitpid $pid, 0; print 'parent' } else { print 'child' }",
        "use strict;\nprint $missing;\n",
        "print 1;\n\x04\nprint 2;\n",
        "use warnings; my @a = (1); print $a[1]; print 'x' . undef; printf '%d', 'abc'; exec $^X, '-e', 'print $0, -s q(main.pl)'",
    ),
    "lua": (
        "",
        "print(arg[0], #arg, arg[-1], arg[-2], ..., debug.getinfo(1).source, debug.getinfo(1).short_src, debug.getinfo(1).what)",
        "print(io.open(arg[0]):read('a'), io.open(arg[0]):seek('end'))\nprint(io.popen('ls'):read('a'))",
        "#!/usr/bin/lua\nprint(debug.traceback())\nerror('é')",
        "\ufeffprint(debug.getinfo(1).currentline)",
        "\ufeff#!/usr/bin/lua\nprint(1)",
        "# only a comment",
        "print('never')\n\nlocal a = = 1",
        "print(require('helper'), package.path)\nprint(dofile('helper.lua'), io.read('a'))\nlocal x = nil + 1",
        "error({})",
        "error(setmetatable({}, {__tostring = function() return 'mine' end}))",
        "if not A then A = 1 dofile(arg[0]) end print(1)\r\nreturn 5",
        "print(1) -- " + "x" * 65000,
        "print(load('return debug.getinfo(1).source')())\nos.exit(7)",
        "\x1bLua not bytecode",
        "--[[\n]] coroutine.wrap(function() error('deep') end)()",
        "goto missing",
    ),
    "bash": (
        "",
        'echo "$0 $# $BASH_SOURCE $LINENO ${FUNCNAME[*]} $-"',
        "cat \"$0\"; ls; wc -c <main.sh; readlink -f $0",
        "#!/bin/sh\nfalse\necho $? $LINENO\nno-such-command\nexit 5",
        "\ufeffecho 1",
        "echo before\n\nif true; then\n  (\nfi\n",
        "echo 'unfinished\n",
        "cat <<END\nhere $((1 + 1))\nEND\ncat\nread -r line; echo \"[$line]\"",
        ". ./helper.sh a b\necho $?\nsource helper.sh\nf() { caller; echo $LINENO; }\nf",
        "echo 'echo appended' >>main.sh; echo one",
        "set -euo pipefail\necho $undefined\n",
        "set -v\necho 1\n# comment\nset -x\necho 2\n",
        "echo 1\r\necho 2\r\n",
        "trap 'echo bye $?' EXIT\nkill -TERM $$\n",
        "(exit 3); echo $?; sleep 0 & wait; exec echo replaced",
        "echo no newline at the end",
        "alias ll='echo aliased'\nshopt -s expand_aliases\nll\nalias mm='echo two'\nmm",
        "for i in 1 2; do\n  bash -c 'echo $0 $i' x$i\ndone; echo ${BASH_LINENO[*]} | cat; ls -l /proc/self/fd | wc -l",
        "echo 1 # " + "x" * 30000,
        "true; exit",
        "echo $(< main.sh)",
        "printf 'a\\0b' | wc -c; history; set -o | grep -c on; shopt -q login_shell; echo $? $PPID $BASHPID >/dev/null",
        "\x7fELF\x02 not a program",
        "echo a\x00b\necho second",
    ),
}
CASES: Final = [
    pytest.param(language, code, id=f"{language}-{number}")
    for language, codes in SOURCES.items()
    for number, code in enumerate(codes)
]


@pytest.fixture(scope="module")
def server(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that has each language twice: as it is, and with nothing started ahead."""
    plain = tmp_path_factory.mktemp("plain")
    for language in SOURCES:
        text = (ROOT / "policies" / f"{language}.toml").read_text()
        line = next(line for line in text.splitlines() if line.startswith("ahead-unless"))
        (plain / f"{language}-plain.toml").write_text(text.replace(line, 'ahead-unless = ""'))
    with serving(tmp_path_factory.mktemp("server"), warm=0, languages=[*SOURCES], more=plain) as running:
        yield running


def ended(server: Server, language: str, code: str, files: dict[str, str]) -> dict[str, Any]:
    """All that can be seen of a run."""
    answer = server.post({"language": language, "code": code, "input": "some input\n", "files": files})
    assert answer.status_code == 200, answer.text
    report = answer.json()
    return {key: report[key] for key in ("reason", "exit_code", "signal", "stdout", "stderr", "files")}


@pytest.mark.parametrize(("language", "code"), CASES)
def test_started_ahead_or_not(server: Server, language: str, code: str) -> None:
    """The same output, errors and ending."""
    files = HELPERS[language]
    assert ended(server, language, code, files) == ended(server, f"{language}-plain", code, files)


def test_every_language_that_is_started_ahead_is_tried() -> None:
    """Python's own cases are in tests/sandbox and tests/runs."""
    ahead = {
        path.stem
        for path in (ROOT / "policies").glob("*.toml")
        if path.stem != "server" and tomllib.loads(path.read_text())["ahead-unless"]
    }
    assert ahead == {*SOURCES, "python", "python-data"}
