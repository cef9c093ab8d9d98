"""Backups of a whole house: every table at one moment, secrets, journals, and the files below the data folder."""

import os
import shutil
import tarfile
from pathlib import Path

from sqlalchemy import create_engine, inspect, text

from primeur.core.errors import SetupError
from primeur.store.dump import DumpHead, dump_tables, load_tables, open_new, read_head
from primeur.store.migrate import migrate_to

_FILES = "files"
# What is made anew, belongs to running processes, or is in the dump of the tables.
_LEFT_OUT = frozenset({"backups", "engines", "logs", "service.json", ".writable", "lock"})
_WEIGHTS = "weights"


def make_backup(url: str, data_dir: Path, path: Path, *, program: str, weights: bool = True) -> DumpHead:
    """Back a house up, while it runs or not.

    Journals are read before the tables: what an answer left in neither was not finished when the backup began. A
    request that is in both is counted once when the backup is restored.

    Args:
        url: of the database.
        program: version of this program.
        weights: models' weights too; without them, deployments of engines wait until theirs are added again.

    Raises:
        SetupError: the file is there already or cannot be written.
    """
    part = path.with_name(path.name + ".part")
    engine = create_engine(url)
    try:
        with open_new(part) as tar:
            _add_files(tar, data_dir, [data_dir / "journal"])
            head = dump_tables(engine, tar, program)
            others = [one for one in sorted(data_dir.iterdir()) if _is_kept(one) and one.name != "journal"]
            _add_files(tar, data_dir, [one for one in others if weights or one.name != _WEIGHTS])
        if path.exists():
            raise SetupError(f"{path} is there already; name another file")
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
        engine.dispose()
    return head


def restore_backup(path: Path, url: str, data_dir: Path) -> DumpHead:
    """Make a house from a backup, in an empty folder and an empty database of either kind.

    Raises:
        SetupError: the backup is none or damaged, or there is something where it should go.
    """
    if data_dir.exists() and any(data_dir.iterdir()):
        raise SetupError(f"{data_dir} is not empty; restore into a new folder, with --data-dir")
    try:
        with tarfile.open(path) as tar:
            head = read_head(tar)
            data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            _load(tar, head, url)
            _take_files(tar, data_dir)
    except (tarfile.TarError, OSError) as error:
        raise SetupError(f"{path} cannot be restored: {error}") from None
    return head


def _load(tar: tarfile.TarFile, head: DumpHead, url: str) -> None:
    engine = create_engine(url)
    try:
        if inspect(engine).get_table_names():
            raise SetupError(f"the database {engine.url} is not empty; restore into a new one, with --database")
        migrate_to(engine, head.migration)
        with engine.begin() as connection:
            load_tables(connection, tar, head)
            # Journals are read again from their beginning: what they hold may be newer than the tables.
            connection.execute(text("delete from journal_cursors"))
    finally:
        engine.dispose()


def _take_files(tar: tarfile.TarFile, data_dir: Path) -> None:
    """Write the archive's files below *data_dir*: plain ones, as a backup has no others; none twice."""
    for entry in tar:
        first, *parts = entry.name.split("/")
        if first != _FILES:
            continue
        if not entry.isreg() or not parts or {"", ".", ".."} & set(parts) or "\0" in entry.name:
            raise tarfile.TarError(f"it holds {entry.name!r}, which is no plain file below a data folder")
        source, target = tar.extractfile(entry), data_dir.joinpath(*parts)
        assert source is not None  # noqa: S101 (a plain file has one)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.touch(mode=0o600, exist_ok=False)
        with target.open("wb") as file:
            shutil.copyfileobj(source, file)


def _add_files(tar: tarfile.TarFile, data_dir: Path, roots: list[Path]) -> None:
    for root in roots:
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file() and not path.is_symlink() and path.name not in _LEFT_OUT:
                _add_file(tar, path, f"{_FILES}/{path.relative_to(data_dir)}")


def _add_file(tar: tarfile.TarFile, path: Path, name: str) -> None:
    """Add a file as long as it is now: a journal grows while it is read."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        # Removed a moment ago, as a journal's segment is when it has become rows.
        return
    with file:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = os.fstat(file.fileno()).st_size, 0o600
        tar.addfile(entry, file)


def _is_kept(path: Path) -> bool:
    return path.name not in _LEFT_OUT and not path.name.startswith("primeur.db")
