"""Sockets of what must not be lost: master keys and the journal of usage."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from primeur.core.usage import UsageEvent


@dataclass(frozen=True, slots=True)
class MasterKey:
    """What secrets are sealed with: an id of letters and digits, and 32 bytes."""

    id: str
    secret: bytes = field(repr=False)


class KeyService(Protocol):
    """Where master keys come from. Entry point group ``primeur.key_services``: called with what the setting says."""

    def current(self) -> MasterKey:
        """The key that seals from now on; made when there is none.

        Raises:
            SetupError: it cannot be had.
        """
        ...

    def find(self, key_id: str) -> MasterKey:
        """A key that something was sealed with.

        Raises:
            SetupError: there is none of this id.
        """
        ...

    def rotate(self) -> MasterKey:
        """Make a new key the current one; old ones can still be found.

        Raises:
            SetupError: it cannot be made.
        """
        ...


class Journal(Protocol):
    """Where usage events become durable before an answer is finished."""

    async def append(self, event: UsageEvent) -> None:
        """Return once *event* is on disk (one fsync for all that arrived within milliseconds).

        Raises:
            OSError: the disk refused.
        """
        ...

    def append_soon(self, event: UsageEvent, done: Callable[[OSError | None], None]) -> None:
        """As `append`, for callers that cannot wait: calls *done* once *event* is on disk, or with the fault."""
        ...

    def append_record(self, record: bytes, done: Callable[[OSError | None], None]) -> None:
        """As `append_soon`, with an event that is encoded already (`primeur.metering.moulds`)."""
        ...
