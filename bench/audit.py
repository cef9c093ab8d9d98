"""How long `primeur audit verify` reads a log of a million entries, and what it finds of what was done to one of them.

python -m bench.audit --entries 1000000
"""

import argparse
import sqlite3
import tempfile
import time
from pathlib import Path

from primeur.core.events import ProjectChanged
from primeur.store.database import Store, Tx, tell
from primeur.walks.verify_audit import verify_chain

_AT_ONCE = 10_000


def _fill(store: Store, entries: int) -> None:
    def work(tx: Tx, start: int) -> None:
        for number in range(start, min(start + _AT_ONCE, entries)):
            change = {"rpm": number, "name": "a project whose name is as long as names are"}
            tell(tx, ProjectChanged(f"prj_{number:026}", keeps_prompts=False), actor=f"mem_{number % 97:026}",
                 at_ms=1_790_000_000_000 + number, before=change, after=change)  # fmt: skip

    for start in range(0, entries, _AT_ONCE):
        store.transact_now(lambda tx, start=start: work(tx, start))


_NAMES = "at_ms, kind, actor, organisation_id, address, request_id, before, after, data, previous, hash"
_HURTS = {
    "edited": ["update events set actor = 'somebody' where sequence = :at"],
    "removed": ["delete from events where sequence = :at"],
    "removed, the rest numbered anew": [
        "delete from events where sequence = :at",
        "update events set sequence = -sequence where sequence > :at",
        "update events set sequence = -sequence - 1 where sequence < 0",
    ],
    "inserted, the rest numbered anew": [
        "update events set sequence = -sequence where sequence > :at",
        "update events set sequence = -sequence + 1 where sequence < 0",
        f"insert into events (sequence, {_NAMES}) select :at + 1, {_NAMES} from events where sequence = :at",  # noqa: S608 (names of ours)
    ],
    "swapped": [
        "update events set sequence = 0 where sequence = :at",
        "update events set sequence = :at where sequence = :at + 1",
        "update events set sequence = :at + 1 where sequence = 0",
    ],
}


def _hurt(path: Path, at: int) -> None:
    """Do to one entry whatever can be done, each time to a log that is whole, and print what is found."""
    for what, statements in _HURTS.items():
        hurt = path.with_name("hurt.db")
        with sqlite3.connect(path) as whole, sqlite3.connect(hurt) as raw:
            whole.backup(raw)
            for trigger in ("events_no_update", "events_no_delete"):
                raw.execute(f"drop trigger if exists {trigger}")
            for statement in statements:
                raw.execute(statement, {"at": at})
            raw.commit()
        store = Store(f"sqlite:///{hurt}")
        found = verify_chain(store.read_now, {}).faults
        store.close()
        hurt.unlink()
        print(f"entry {at} {what}: " + "; ".join(f"{one.sequence} {one.what}" for one in found[:3]))


def measure(entries: int) -> None:
    """Write a log, verify it, hurt it, and print one line for each figure."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "primeur.db"
        store = Store(f"sqlite:///{path}")
        began = time.perf_counter()
        _fill(store, entries)
        print(f"wrote {entries} entries in {time.perf_counter() - began:.1f} s")
        began, worked = time.perf_counter(), time.process_time()
        report = verify_chain(store.read_now, {})
        took_s, worked_s = time.perf_counter() - began, time.process_time() - worked
        print(f"verified {report.entries} entries in {took_s:.2f} s ({worked_s:.2f} s of one core): {report.faults}")
        _hurt(path, entries // 2)
        store.close()


def main() -> None:
    """Measure as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    measure(parser.parse_args().entries)


if __name__ == "__main__":
    main()
