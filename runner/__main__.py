"""The ops commands: ``python -m runner check | show | run``."""

import argparse
import asyncio
import dataclasses
import json
import secrets
import shlex
import sys
from pathlib import Path

from runner import argv, configuration, container, request, uids
from runner.configuration import Configuration
from runner.errors import PolicyError, Refusal
from runner.report import as_json
from runner.result import Status
from runner.service import open_service


def check(config: Configuration, args: argparse.Namespace) -> int:
    """Says that every file is valid; what is not was said before."""
    for policy in config.policies.values():
        print(f"{policy.name}.toml: ok, {len(policy.docker_run)} flags, sha256 {policy.digest}")
        for flag, reason in policy.waivers.items():
            print(f"{policy.name}.toml: waiver: {flag}: {reason}")
    return 0


def show(config: Configuration, args: argparse.Namespace) -> int:
    """Prints the exact command: one argument a line, then as a line for a shell."""
    policy, instance = config.policies[args.language], config.settings.instance
    print("\n".join(argv.run(policy, argv.NAME_PLACEHOLDER, argv.UID_PLACEHOLDER, instance)))
    print("\n# The same for a shell, with a name and a uid filled in. It waits for a program, see images/launch:")
    print(f"# printf '%-47s\\n%s' '{'0' * 32} 9' 'print(42)' |")
    print(shlex.join(argv.run(policy, container.new_name(), uids.FIRST, "shown")))
    return 0


def run(config: Configuration, args: argparse.Namespace) -> int:
    """Runs one program without HTTP; its input is this command's, unless that is a terminal."""
    policy = dataclasses.replace(config.policies[args.language], warm=0)
    settings = dataclasses.replace(config.settings, instance=f"cli-{secrets.token_hex(4)}")
    data = b"" if sys.stdin.isatty() else sys.stdin.buffer.read(policy.limits.input + 1)
    source = Path(args.file).read_bytes()

    async def once() -> dict[str, object]:
        async with open_service({policy.name: policy}, settings) as service:
            return as_json(await service.run(request.job(policy, source, (data,))))

    report = asyncio.run(once())
    print(json.dumps(report, indent=2))
    return 0 if report["status"] is Status.SUCCESS else 1


def parser(languages: list[str]) -> argparse.ArgumentParser:
    """The command line."""
    commands = argparse.ArgumentParser(prog="python -m runner", description=__doc__)
    commands.add_argument("--policies", type=Path, default=configuration.FOLDER, help="the folder of policy files")
    names = commands.add_subparsers(required=True, metavar="COMMAND")
    names.add_parser("check", help="validate every policy file").set_defaults(command=check)
    one = names.add_parser("show", help="print the exact command of a language")
    one.add_argument("language", choices=languages)
    one.set_defaults(command=show)
    one = names.add_parser("run", help="run one program, without HTTP")
    one.add_argument("language", choices=languages)
    one.add_argument("file")
    one.set_defaults(command=run)
    return commands


def main() -> int:
    """0: well, 1: the program failed, 2: refused, 130: interrupted."""
    try:
        folder = argparse.ArgumentParser(add_help=False)
        folder.add_argument("--policies", type=Path, default=configuration.FOLDER)
        config = configuration.load(folder.parse_known_args()[0].policies)
        args = parser(sorted(config.policies)).parse_args()
        code: int = args.command(config, args)
        return code
    except (PolicyError, Refusal, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
