"""One process at a time: a folder's lock, which ends with the process that holds it."""

import fcntl
import os
import time
from pathlib import Path

from primeur.core.errors import SetupError

_TRIES, _TRY_S = 100, 0.05


class FolderLock:
    """Holds ``FOLDER/lock`` until it is closed, or the process ends in whatever way."""

    def __init__(self, folder: Path) -> None:
        """Take the lock, with some patience for a process that is just ending.

        Raises:
            SetupError: another process holds it.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file: int | None = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        for _ in range(_TRIES):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_TRY_S)
            else:
                return
        self.close()
        raise SetupError(f"another process writes into {folder}; stop it, or choose another folder with --data-dir")

    def close(self) -> None:
        """Let go."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
