"""Webhooks: how a delivery moves, when it is tried again, and how it is signed; pure.

Source: Standard Webhooks 1.0 (standardwebhooks.com): headers, secret and signature.
"""

import base64
import hashlib
import hmac

from primeur.core.machine import Machine

PENDING, DELIVERED, ABANDONED = "pending", "delivered", "abandoned"
DELIVERY = Machine(
    "delivery",
    {
        (PENDING, "deliver"): DELIVERED,
        (PENDING, "retry"): PENDING,
        (PENDING, "abandon"): ABANDONED,
        (ABANDONED, "retry"): PENDING,
    },
)
SECRET_PREFIX = "whsec_"  # noqa: S105 (the prefix that all of them have)
PAUSES_MS = (5_000, 30_000, 120_000, 600_000, 3_600_000, 14_400_000, 43_200_000)
"""Milliseconds after each failed attempt; after the last one the delivery is abandoned, 17 hours in all."""

_JITTER_PERCENT = 20
_GONE = 410


def webhook_secret(pepper: bytes, url: str) -> str:
    """Give the secret that deliveries to *url* are signed with; it is made from the house's own and stored nowhere."""
    made = hashlib.blake2b(url.encode(), digest_size=32, key=pepper, person=b"primeur webhook").digest()
    return SECRET_PREFIX + base64.b64encode(made).decode()


def sign(secret: str, delivery_id: str, at_s: int, body: bytes) -> str:
    """Give the header ``webhook-signature``: HMAC-SHA256 over id, time and body.

    Args:
        at_s: UTC seconds, as the header ``webhook-timestamp`` has them.
    """
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = hmac.digest(key, b"%b.%d.%b" % (delivery_id.encode(), at_s, body), "sha256")
    return "v1," + base64.b64encode(signed).decode()


def is_accepted(status: int) -> bool:
    """Whether the receiver has taken a delivery; a redirect is not followed and counts as no."""
    return 200 <= status < 300


def next_try_ms(attempts: int, status: int | None, now_ms: int, dice: int) -> int | None:
    """Give when to try again after *attempts* failures; None: never.

    Args:
        status: what the receiver answered; None: it did not. 410 means that it wants no more.
        dice: 0 to 255; spreads tries by a fifth, so that many deliveries do not come back at once.
    """
    if status == _GONE or attempts > len(PAUSES_MS):
        return None
    pause_ms = PAUSES_MS[attempts - 1]
    return now_ms + pause_ms + pause_ms * _JITTER_PERCENT * dice // (100 * 255)
