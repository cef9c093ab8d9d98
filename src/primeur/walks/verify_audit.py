"""Read the whole event log and say whether anybody touched it."""

import asyncio
from collections.abc import Callable, Mapping

import msgspec

from primeur.core.chain import Fault, Row, Verifier
from primeur.governance.audit_rows import read_chain
from primeur.governance.checkpoint_rules import Checkpoint
from primeur.store.database import Tx
from primeur.walks.checkpoint_audit import read_checkpoints
from primeur.walks.house import House

_AT_ONCE = 20_000


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        intact: nothing is wrong.
        entries: how many were read.
        sequence, hash: the newest entry's.
        checkpoints: how many signed checkpoints were compared.
        faults: what is wrong, entry by entry; the first thousand.
    """

    intact: bool
    entries: int
    sequence: int
    hash: str
    checkpoints: int
    faults: list[Fault]


async def verify_audit(house: House, marks: list[Checkpoint] | None = None) -> AuditReport:
    """Verify the log against itself and against signed checkpoints.

    Args:
        marks: checkpoints kept elsewhere; this house's own are compared in any case.

    Raises:
        BadRequest: the signature of a checkpoint is wrong.
        SetupError: the file of checkpoints is damaged.
    """
    own = await asyncio.to_thread(read_checkpoints, house)
    known = {one.sequence: one.hash for one in (*own, *(marks or ()))}
    return await asyncio.to_thread(verify_chain, house.store.read_now, known)


def verify_chain(read: Callable[[Callable[[Tx], list[Row]]], list[Row]], known: Mapping[int, str]) -> AuditReport:
    """Read the chain by pieces, so that nobody waits for it, and give what is wrong.

    Args:
        read: runs a function on a view of the database, as `Store.read_now`.
        known: hashes by sequence, from checkpoints whose signatures were checked.
    """
    verifier = Verifier(dict(known))
    while True:
        before = verifier.count

        verifier.read_rows(read(lambda tx: read_chain(tx, verifier.last[0], _AT_ONCE)))
        if verifier.count - before < _AT_ONCE:
            break
    verifier.end()
    return AuditReport(
        intact=not verifier.faults,
        entries=verifier.count,
        sequence=verifier.last[0],
        hash=verifier.last[1],
        checkpoints=len(known),
        faults=verifier.faults,
    )
