"""Which journals a data folder holds: one for each process that answers, each read from a cursor of its own name."""

import secrets
from pathlib import Path

_FIRST = "usage"


def journal_folder(data_dir: Path, process: str = "") -> Path:
    """Where the journal of a process lies; of the only one, or of the parent, when none is named."""
    return data_dir / "journal" / process if process else data_dir / "journal"


def find_journals(data_dir: Path) -> dict[str, Path]:
    """Give every journal's folder by the name of its cursor.

    Several services may write rows into one database, so names differ from one data folder to the next.
    """
    root = journal_folder(data_dir)
    name = journal_name(data_dir)
    found = {name: root}
    for folder in sorted(root.glob("*/")):
        found[f"{name}/{folder.name}"] = folder
    return found


def journal_name(data_dir: Path) -> str:
    """Give the name of this data folder's journal, made at the first start."""
    root = journal_folder(data_dir)
    path = root / "name"
    if not path.is_file():
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Journals that are older than names were read from the one cursor that there was.
        old = any(root.glob("*.journal"))
        path.write_text(_FIRST if old else f"{_FIRST}-{secrets.token_hex(6)}", "ascii")
    return path.read_text("ascii")
