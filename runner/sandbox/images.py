"""What the images of the policies really are: a tag can be moved, an id cannot."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from runner.errors import PolicyError
from runner.policy import argv, configuration, lock
from runner.policy.configuration import Configuration
from runner.policy.policy import Policy
from runner.sandbox import process
from runner.sandbox.process import ANSWER_TIME, COMMAND_TIME


async def identities(policies: Mapping[str, Policy]) -> dict[str, str | None]:
    """Language -> the repository's digest or the id of its image, None where it is missing; or ``EngineError``."""
    await process.output(argv.engine_version(), ANSWER_TIME)
    commands = (process.execute(argv.image_identity(p.image), COMMAND_TIME) for p in policies.values())
    found = zip(policies.values(), await asyncio.gather(*commands), strict=True)
    return {p.name: lock.identity(p.image, *i.stdout.split()) if i.code == 0 else None for p, i in found}


async def check_lock(config: Configuration, folder: Path) -> None:
    """Where the lock is demanded: ``PolicyError`` when an image is another than was reviewed."""
    if not config.settings.lock:
        return
    found = await identities(config.policies)
    if problems := tuple(configuration.differences(config.policies, found, folder)):
        raise PolicyError(*problems)
