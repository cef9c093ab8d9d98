"""The API of a data folder that no service runs on; engines are not started."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from primeur.app import WEIGHTS, build_app, open_desk
from primeur.config import Settings
from primeur.governance.rules import operator_key
from primeur.walks.follow_changes import recompile
from primeur.walks.found_house import found_house


@asynccontextmanager
async def open_in_process(settings: Settings) -> AsyncIterator[tuple[Any, str]]:
    """Give the application over the data folder and its operator's key; a new folder is founded.

    Raises:
        SetupError: the folder or its database cannot be used.
    """
    # Whatever is written is for this user's eyes only.
    os.umask(0o077)
    async with open_desk(settings) as house:
        founding = await found_house(house, weights=WEIGHTS)
        if founding.key is not None:
            # This is the only moment at which the first key is known.
            print(  # noqa: T201
                f"primeur: {settings.data_dir} is new; its first key is {founding.key}", file=sys.stderr
            )
        await recompile(house)
        yield build_app(house), operator_key(house.place.pepper)
