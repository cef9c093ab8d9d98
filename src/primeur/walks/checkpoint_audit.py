"""Sign the end of the event log, and keep the signature where whoever can change the log cannot change it."""

import asyncio
import os
from pathlib import Path

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, SetupError
from primeur.core.events import CheckpointMade
from primeur.core.reading import NOT_JSON
from primeur.governance.audit_rows import newest_event
from primeur.governance.checkpoint_rules import Checkpoint, check_checkpoint, public_key, sign_checkpoint
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.send_webhook import send_webhook

_KEY_BYTES = 32
_FILE = Path("audit") / "checkpoints.jsonl"
_ACTOR = "house"


async def checkpoint_audit(house: House, caller: Caller | None = None) -> Checkpoint:
    """Sign the newest entry, append the checkpoint to the file, and send it where the setting says.

    Args:
        caller: who asked for it; None: the clock.

    Raises:
        SetupError: the key or the file cannot be used.
    """
    actor, now_ms = _ACTOR if caller is None else actor_of(caller), house.clock.now_ms()
    secret = await asyncio.to_thread(audit_key, house)

    def work(tx: Tx) -> None:
        tell(tx, CheckpointMade(public_key(secret)), actor=actor, at_ms=now_ms)

    await house.store.transact(work)
    newest = await house.store.read(newest_event)
    assert newest is not None  # noqa: S101
    made = sign_checkpoint(secret, newest.sequence, newest.hash, now_ms)
    await asyncio.to_thread(_append, checkpoint_file(house), made)
    if "://" in house.place.checkpoints_to:
        await send_webhook(house, house.place.checkpoints_to, "audit.checkpoint", msgspec.to_builtins(made))
    return made


async def checkpoint_when_new(house: House) -> Checkpoint | None:
    """Make a checkpoint if anything happened since the last one; None otherwise."""
    newest = await house.store.read(newest_event)
    known = await asyncio.to_thread(read_checkpoints, house)
    if newest is None or (known and known[-1].sequence >= newest.sequence):
        return None
    return await checkpoint_audit(house)


def checkpoint_file(house: House) -> Path:
    """Where checkpoints are appended: the file that the setting names, else one in the data folder."""
    named = house.place.checkpoints_to
    return house.place.data_dir / _FILE if not named or "://" in named else Path(named)


def read_checkpoints(house: House) -> list[Checkpoint]:
    """Give this house's checkpoints, oldest first, each with its signature checked.

    Raises:
        BadRequest: a signature is wrong.
        SetupError: the file is damaged.
    """
    path = checkpoint_file(house)
    if not path.exists():
        return []
    return parse_checkpoints(path.read_bytes(), public_key(audit_key(house)), str(path))


def parse_checkpoints(text: bytes, key: str, where: str) -> list[Checkpoint]:
    """Read checkpoints, one a line, and check each against *key*.

    Raises:
        BadRequest: a line is none, or its signature is wrong.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            checkpoint = msgspec.json.decode(line, type=Checkpoint)
        except NOT_JSON:
            raise BadRequest(f"line {number} of {where} is no checkpoint; restore the file from a copy") from None
        check_checkpoint(checkpoint, key)
        found.append(checkpoint)
    return found


def audit_key(house: House) -> bytes:
    """Give the 32 secret bytes that checkpoints are signed with; made in the data folder when no setting names a file.

    Raises:
        SetupError: the file is not there, or not 32 bytes.
    """
    path = house.place.audit_key_path or house.place.data_dir / "audit.key"
    if house.place.audit_key_path is None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(house.entropy(_KEY_BYTES))
        except FileExistsError:
            pass
    try:
        secret = path.read_bytes()
    except OSError as error:
        raise SetupError(f"the audit key {path} cannot be read ({error.strerror}); see PRIMEUR_AUDIT_KEY") from None
    if len(secret) != _KEY_BYTES:
        raise SetupError(f"the audit key {path} must hold {_KEY_BYTES} bytes; restore it from a copy")
    return secret


def _append(path: Path, checkpoint: Checkpoint) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(msgspec.json.encode(checkpoint) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SetupError(f"checkpoints cannot be appended to {path} ({error.strerror})") from None
