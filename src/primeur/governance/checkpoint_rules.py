"""Checkpoints of the event log, signed with Ed25519, so that a log that was cut off or written anew shows; pure.

Source: RFC 8032 (Ed25519); what is signed is `Checkpoint.text`.
"""

import base64
import hashlib
from typing import TYPE_CHECKING

import msgspec

from primeur.core.errors import BadRequest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_FORM = "primeur-checkpoint-1"


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the log's end was at a moment.

    Attributes:
        sequence, hash: of the newest entry.
        at_ms: when it was signed, UTC milliseconds.
        key: the public key, 32 bytes in base 64.
        signature: of `text`, 64 bytes in base 64.
    """

    sequence: int
    hash: str
    at_ms: int
    key: str
    signature: str

    @property
    def text(self) -> bytes:
        """The four lines that are signed: form, sequence, hash, time."""
        return f"{_FORM}\n{self.sequence}\n{self.hash}\n{self.at_ms}\n".encode()


def sign_checkpoint(secret: bytes, sequence: int, entry_hash: str, at_ms: int) -> Checkpoint:
    """Sign the end of the log with the 32 bytes of *secret*."""
    key = _private(secret)
    unsigned = Checkpoint(sequence=sequence, hash=entry_hash, at_ms=at_ms, key=public_key(secret), signature="")
    return msgspec.structs.replace(unsigned, signature=base64.b64encode(key.sign(unsigned.text)).decode())


def public_key(secret: bytes) -> str:
    """Give the public half of *secret*, in base 64."""
    return base64.b64encode(_private(secret).public_key().public_bytes_raw()).decode()


def fingerprint(key: str) -> str:
    """Give what people compare of a public key: the beginning of its SHA-256."""
    return hashlib.sha256(base64.b64decode(key)).hexdigest()[:16]


def check_checkpoint(checkpoint: Checkpoint, key: str) -> None:
    """Let a checkpoint pass only if *key*, which was kept elsewhere, has signed it.

    Raises:
        BadRequest: signed by another key, or not at all.
    """
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 (see `_private`)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    what = f"the checkpoint of entry {checkpoint.sequence}"
    if checkpoint.key != key:
        raise BadRequest(f"{what} is signed with another key than {fingerprint(key)}")
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
        public.verify(base64.b64decode(checkpoint.signature, validate=True), checkpoint.text)
    except (InvalidSignature, ValueError):
        raise BadRequest(f"{what} has a wrong signature: it was changed, or is not ours") from None


def _private(secret: bytes) -> "Ed25519PrivateKey":
    # 7 MB that a service does without until it signs for the first time, an hour after its start.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    return Ed25519PrivateKey.from_private_bytes(secret)
