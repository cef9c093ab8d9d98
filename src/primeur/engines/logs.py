"""The log files of engine processes: bounded, and asked for the reason when a process has died."""

import contextlib
import os
from collections.abc import Collection
from pathlib import Path

MAX_LOG_BYTES = 8 << 20
KEPT_BYTES = 1 << 20
TAIL_BYTES = 8 << 10
MOST_LOGS = 200


def bound_log(path: Path, max_bytes: int = MAX_LOG_BYTES) -> None:
    """Cut a log that outgrew *max_bytes*; its last part stays in a file beside it, ``.old``.

    The process goes on writing into the same file: it writes by appending, so it follows the new end.
    """
    try:
        if path.stat().st_size <= max_bytes:
            return
        path.with_suffix(".old").write_bytes(_tail(path, KEPT_BYTES))
        os.truncate(path, 0)
    except OSError:
        # A log that cannot be cut is no reason to stop serving; the next look tries again.
        return


def forget_logs(folder: Path, in_use: Collection[str], most: int = MOST_LOGS) -> None:
    """Remove the oldest logs in *folder* beyond *most*, but those of processes *in_use*; replicas come and go."""
    with contextlib.suppress(OSError):
        ended = [path for path in folder.glob("*.log") if path.stem not in in_use]
        ended.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in ended[most:]:
            path.unlink(missing_ok=True)
            path.with_suffix(".old").unlink(missing_ok=True)


def last_words(path: Path) -> str:
    """The reason a process gave before it ended, its last ``fatal:`` line; empty when it gave none."""
    try:
        lines = _tail(path, TAIL_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((line.removeprefix("fatal: ")[:500] for line in reversed(lines) if line.startswith("fatal: ")), "")


def _tail(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - count))
        return file.read(count)
