"""What the images of the policies really are: a tag can be moved, an id cannot."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from runner import argv, configuration, process
from runner.configuration import Configuration
from runner.errors import EngineError, PolicyError
from runner.policy import Policy
from runner.process import COMMAND_TIME


async def identities(policies: Mapping[str, Policy]) -> dict[str, str | None]:
    """Language -> the repository's digest or the id of its image, None where it is missing; or ``EngineError``."""
    version = await process.execute(argv.engine_version(), COMMAND_TIME)
    if version.code != 0:
        raise EngineError(version.stderr)
    commands = (process.execute(argv.image_identity(p.image), COMMAND_TIME) for p in policies.values())
    found = await asyncio.gather(*commands)
    return {name: i.stdout.strip() if i.code == 0 else None for name, i in zip(policies, found, strict=True)}


async def check_lock(config: Configuration, folder: Path) -> None:
    """Where the lock is demanded: ``PolicyError`` when an image is another than was reviewed."""
    if not config.settings.lock:
        return
    found = await identities(config.policies)
    if problems := tuple(configuration.differences(config.policies, found, folder)):
        raise PolicyError(*problems)
