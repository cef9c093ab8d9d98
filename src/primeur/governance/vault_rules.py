"""Secrets at rest: sealed with AES-256-GCM under a master key, bound to what they belong to; pure.

Source: NIST SP 800-38D (GCM): a fresh random nonce of 96 bits for each secret.
"""

import base64
import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING

from primeur.core.errors import SetupError
from primeur.core.ports import MasterKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEALED = "sealed:"
_NONCE_BYTES = 12


def seal(text: str, belongs_to: str, key: MasterKey, entropy: Callable[[int], bytes]) -> str:
    """Seal *text*: ``sealed:KEY_ID:`` and nonce and ciphertext in base 64.

    Args:
        belongs_to: whatever names the place of the secret; opened elsewhere it is worth nothing.
    """
    nonce = entropy(_NONCE_BYTES)
    body = nonce + _cipher(key).encrypt(nonce, text.encode(), belongs_to.encode())
    return f"{SEALED}{key.id}:{base64.b64encode(body).decode()}"


def is_sealed(value: object) -> bool:
    """Whether a setting's value is a sealed secret."""
    return isinstance(value, str) and value.startswith(SEALED)


def key_id_of(sealed: str) -> str:
    """Which master key a secret is sealed with."""
    return sealed.removeprefix(SEALED).partition(":")[0]


def shown(value: object) -> object:
    """What may be shown of a setting's value: of a sealed secret, only with which key it is sealed."""
    return f"{SEALED}{key_id_of(value)}" if is_sealed(value) and isinstance(value, str) else value


def unseal(sealed: str, belongs_to: str, key: MasterKey) -> str:
    """Open a sealed secret.

    Raises:
        SetupError: it was changed, moved here from elsewhere, or sealed with another key.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 (see `_cipher`)

    try:
        body = base64.b64decode(sealed.removeprefix(SEALED).partition(":")[2], validate=True)
        return _cipher(key).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], belongs_to.encode()).decode()
    except (InvalidTag, ValueError, binascii.Error):
        raise SetupError(
            f"the sealed secret of {belongs_to} does not open with the key {key.id!r}: give the secret again"
        ) from None


def _cipher(key: MasterKey) -> "AESGCM":
    # 7 MB that a house without secrets does without.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(key.secret)
