"""How long `primeur audit verify` reads a log of a million entries, and whether it finds what was done to it.

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


def main() -> None:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    entries = parser.parse_args().entries
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
        with sqlite3.connect(path) as raw:
            raw.execute("drop trigger events_no_update")
            raw.execute("update events set actor = 'somebody' where sequence = ?", (entries // 2,))
        print(f"after one edit: {verify_chain(store.read_now, {}).faults}")
        store.close()


if __name__ == "__main__":
    main()
