"""When a deployment moves to another version of its model by itself, who is told that one ends, and when; pure.

The three policies and their names are those of Azure's deployments.

Source: Azure OpenAI, "Working with models: model deployment upgrade configuration"; "Model retirement".
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from primeur.registry.facts import day_of

Upgrade = Literal["OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade"]
ON_NEW_DEFAULT: Upgrade = "OnceNewDefaultVersionAvailable"
ON_EXPIRY: Upgrade = "OnceCurrentVersionExpired"
NEVER: Upgrade = "NoAutoUpgrade"

NOTICE_DAYS = (90, 30, 14, 7, 1, 0)
"""Days before a version's end on which everybody is told; 0 is the day itself."""
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Edition:
    """A version as far as upgrading needs it.

    Attributes:
        ends_ms: UTC milliseconds; None: nobody said that it ends.
    """

    id: str
    number: int
    ends_ms: int | None = None

    def has_ended(self, now_ms: int) -> bool:
        """Whether it is over."""
        return self.ends_ms is not None and self.ends_ms <= now_ms


def upgrade_due(policy: Upgrade, current: Edition, default: Edition, tried: Collection[str], now_ms: int) -> str | None:
    """Say why a deployment should move from *current* to *default* now; None: it should not.

    Args:
        default: the version that is meant when none is named.
        tried: versions that the deployment went back from; a judge's no is not asked for again.
    """
    if policy == NEVER or default.id == current.id or default.id in tried or default.has_ended(now_ms):
        return None
    if current.has_ended(now_ms):
        return f"version {current.number} ended on {day_of(current.ends_ms or 0)}"
    if policy == ON_NEW_DEFAULT and default.number > current.number:
        return f"version {default.number} is the new default"
    return None


def refuses(policy: Upgrade, current: Edition, default: Edition, now_ms: int) -> bool:
    """Whether a deployment of *current* answers no more: its version has ended and nothing will follow it.

    One that is to be upgraded goes on answering until the next version has taken over.
    """
    if not current.has_ended(now_ms):
        return False
    return policy == NEVER or default.id == current.id or default.has_ended(now_ms)


def notice_due(ends_ms: int, noticed_days: int | None, now_ms: int) -> int | None:
    """Give how many days before the end everybody has to be told now; None: nobody.

    Args:
        noticed_days: what they were told last.
    """
    left_ms = ends_ms - now_ms
    due = [days for days in NOTICE_DAYS if left_ms <= days * DAY_MS]
    if not due or (noticed_days is not None and noticed_days <= min(due)):
        return None
    return min(due)
