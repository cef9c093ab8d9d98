"""``primeur backup`` and ``primeur restore``: a whole house in one file, made while it runs or not."""

import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from primeur.cli.show import AsJson, DataDir, print_json, say, size
from primeur.config import read_settings
from primeur.core.errors import SetupError

File = Annotated[Path, typer.Argument(help="The backup; it holds secrets, and only this user may read it.")]
Database = Annotated[str | None, typer.Option(help="SQLAlchemy URL; SQLite in the data folder by default.")]


def backup(
    file: File,
    without_weights: Annotated[bool, typer.Option("--without-weights", help="Leave models' weights out.")] = False,
    database: Database = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Back up the house: database, secrets, journals, kept files and weights."""
    settings = read_settings(data_dir=data_dir, database=database)
    if not (settings.data_dir / "secret").is_file():
        raise SetupError(f"there is no house in {settings.data_dir}; name its folder with --data-dir")
    from primeur.store.backup import make_backup  # noqa: PLC0415 (only this command needs the database itself)

    head = make_backup(
        settings.database_url, settings.data_dir, file.absolute(), program=_version(), weights=not without_weights
    )
    made = {"file": str(file.absolute()), "size_bytes": file.stat().st_size, "rows": head.rows}
    if as_json:
        print_json(made)
    else:
        count, tables = sum(head.rows.values()), len(head.rows)
        say(f"{count} rows of {tables} tables, and the files, are in {file} ({size(file.stat().st_size)}).")


def restore(file: File, database: Database = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Make a house from a backup, in a new folder and an empty database of either kind."""
    settings = read_settings(data_dir=data_dir, database=database)
    os.umask(0o077)
    from primeur.store.backup import restore_backup  # noqa: PLC0415 (the same)

    head = restore_backup(file, settings.database_url, settings.data_dir)
    if as_json:
        print_json({"data_dir": str(settings.data_dir), "rows": head.rows})
    else:
        say(f"{sum(head.rows.values())} rows are restored into {settings.data_dir}; start it with `primeur up`.")


def _version() -> str:
    try:
        return version("primeur")
    except PackageNotFoundError:
        return "source"
