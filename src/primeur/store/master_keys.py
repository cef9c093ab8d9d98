"""Master keys in a file of the data folder: one a line, id and 32 bytes in base 64; the last one seals."""

import base64
import os
from collections.abc import Callable
from pathlib import Path

from primeur.core.errors import SetupError
from primeur.core.ports import MasterKey

_BYTES = 32


class FileKeys:
    """Implements `primeur.core.ports.KeyService` over a file that only its owner reads."""

    def __init__(self, path: Path, entropy: Callable[[int], bytes]) -> None:
        """Read *path* when a key is needed; it is made with the first one."""
        self._path, self._entropy = path, entropy

    def current(self) -> MasterKey:
        """See the port."""
        known = self._read()
        return known[-1] if known else self.rotate()

    def find(self, key_id: str) -> MasterKey:
        """See the port."""
        for key in self._read():
            if key.id == key_id:
                return key
        raise SetupError(f"the master key {key_id!r} is not in {self._path}; restore the file from a copy")

    def rotate(self) -> MasterKey:
        """See the port."""
        key = MasterKey(self._entropy(4).hex(), self._entropy(_BYTES))
        line = f"{key.id} {base64.b64encode(key.secret).decode()}\n".encode()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            number = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(number, line)
                # What is sealed with a key that a crash has lost could never be opened.
                os.fsync(number)
            finally:
                os.close(number)
        except OSError as error:
            raise SetupError(f"the master keys {self._path} cannot be written ({error.strerror})") from None
        return key

    def _read(self) -> list[MasterKey]:
        try:
            lines = self._path.read_text("ascii").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise SetupError(f"the master keys {self._path} cannot be read: {error}") from None
        return [self._key(line, number) for number, line in enumerate(lines, 1)]

    def _key(self, line: str, number: int) -> MasterKey:
        key_id, _, text = line.partition(" ")
        try:
            secret = base64.b64decode(text, validate=True)
        except ValueError:
            secret = b""
        if not key_id.isalnum() or len(secret) != _BYTES:
            raise SetupError(f"line {number} of {self._path} is no master key: ID and 32 bytes in base 64")
        return MasterKey(key_id, secret)
