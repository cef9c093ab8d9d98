"""The event log as a chain: each entry's hash covers the entry and the hash before it; pure.

Anybody can recompute it: SHA-256 over a compact JSON array (UTF-8, no white space, nothing escaped that need not be) of
``["primeur-event-1", sequence, at_ms, kind, actor, organisation_id, address, request_id, before, after, data,
previous]``, where *previous* is the hash of the entry before in hexadecimal, and 64 zeros before the first.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec

FORM = "primeur-event-1"
GENESIS = "0" * 64
_FAULTS_LIMIT = 1000

Row = tuple[Any, ...]

_encode = msgspec.json.Encoder().encode


class Entry(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One row of the event log.

    Attributes:
        at_ms: UTC milliseconds.
        kind: name of the event, as in core/events.
        actor: id of the member or key; ``house`` or ``founder`` for what nobody asked for.
        organisation_id: whose affair it is; empty: the house's.
        address, request_id: where it was asked for; empty for what nobody asked for.
        before, after: JSON of the thing as it was and as it is; null where there is none.
        data: JSON of the event.
        previous, hash: 64 hexadecimal digits.
    """

    sequence: int
    at_ms: int
    kind: str
    actor: str
    organisation_id: str
    address: str
    request_id: str
    before: str | None
    after: str | None
    data: str
    previous: str
    hash: str


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with an entry."""

    sequence: int
    what: str


def hash_entry(entry: Entry, sequence: int | None = None) -> str:
    """Compute what the entry's hash must be; *sequence* in place of its own tells an entry that was renumbered."""
    return sha256(
        _encode(
            (
                FORM, entry.sequence if sequence is None else sequence, entry.at_ms, entry.kind, entry.actor,
                entry.organisation_id, entry.address, entry.request_id, entry.before, entry.after, entry.data,
                entry.previous,
            )
        )
    ).hexdigest()  # fmt: skip


class Verifier:
    """Reads a chain from its beginning and remembers what is wrong with it.

    Attributes:
        faults: the first thousand, in order.
        count: entries read.
        last: the newest entry's sequence and hash.
    """

    def __init__(self, marks: dict[int, str] | None = None) -> None:
        """*marks*: hashes that entries are known to have had, by sequence; from signed checkpoints."""
        self.faults: list[Fault] = []
        self.count = 0
        self.last = (0, GENESIS)
        self._marks = dict(marks or {})
        self._shift = 0
        self._before_last = GENESIS

    def read_rows(self, rows: Iterable[Row]) -> None:
        """Look at the next entries, given as tuples in the order of `Entry`'s fields; there may be millions."""
        for row in rows:
            # What a row's hash covers is the row itself up to there.
            sequence, previous = self.last
            if (
                row[0] == sequence + 1
                and row[10] == previous
                and row[0] not in self._marks
                and sha256(_encode((FORM, *row[:11]))).hexdigest() == row[11]
            ):
                self.count += 1
                self._before_last, self.last = previous, (row[0], row[11])
            else:
                self.read(Entry(**dict(zip(Entry.__struct_fields__, row, strict=True))))

    def read(self, entry: Entry) -> None:
        """Look at the next entry."""
        self.count += 1
        sequence, previous = self.last
        if entry.sequence != sequence + 1:
            self._gap(sequence + 1, entry.sequence - 1)
        if entry.previous != previous:
            self._loose(entry)
        if hash_entry(entry, entry.sequence + self._shift) != entry.hash:
            self._altered(entry)
        mark = self._marks.pop(entry.sequence, None)
        if mark is not None and mark != entry.hash:
            self._add(entry.sequence, "is not the entry that a signed checkpoint saw: the log was rewritten")
        self._before_last = previous
        self.last = (entry.sequence, entry.hash)

    def end(self) -> None:
        """Say what checkpoints saw and the log has not."""
        for sequence in sorted(self._marks):
            self._add(sequence, "was seen by a signed checkpoint and is not there: the end of the log was cut off")
        self._marks.clear()

    def _gap(self, first: int, last: int) -> None:
        words = "is missing" if first == last else f"to {last} are missing"
        self._add(first, f"{words}: removed")

    def _loose(self, entry: Entry) -> None:
        if entry.previous == self._before_last and self.count > 1:
            self._add(self.last[0], f"was inserted: entry {entry.sequence} follows the one before it")
        else:
            self._add(
                entry.sequence, "does not follow the entry before it: that one was rewritten, or some are missing"
            )

    def _altered(self, entry: Entry) -> None:
        for shift in (self._shift + 1, self._shift - 1):
            if hash_entry(entry, entry.sequence + shift) == entry.hash:
                was = entry.sequence + shift
                self._add(entry.sequence, f"was numbered {was} when it was written: entries were moved")
                self._shift = shift
                return
        self._add(entry.sequence, "was edited, or stands in another's place")

    def _add(self, sequence: int, what: str) -> None:
        if len(self.faults) < _FAULTS_LIMIT:
            self.faults.append(Fault(sequence, what))
