"""Lines that a person types: editing, a history file, completion of commands, several lines at once."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

COMMANDS = ("/help", "/model", "/system", "/params", "/retry", "/clear", "/save", "/exit")
_HISTORY_LINES = 1000
_HISTORY_BYTES = 1 << 20
_QUOTES = '"""'


def history_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where what was typed is kept, by the XDG base directory specification."""
    state = environment.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "primeur" / "chat_history"


class Typing:
    """Reads what a person types; a system without readline has plain lines."""

    def __init__(self, path: Path) -> None:
        """*path*: the history file; made for its owner's eyes only."""
        self._path = path
        try:
            import readline  # noqa: PLC0415 (not every Python has it)
        except ImportError:
            self._readline = None
            return
        self._readline = readline
        readline.set_history_length(_HISTORY_LINES)
        readline.set_completer(_complete)
        readline.set_completer_delims(" ")
        readline.parse_and_bind("tab: complete")
        with suppress(OSError):
            # A history that grew beyond all bounds is not worth a slow start.
            if path.stat().st_size <= _HISTORY_BYTES:
                readline.read_history_file(path)

    def keep(self) -> None:
        """Write the history; a folder that cannot be written costs the history, not the conversation."""
        if self._readline is None:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))
            self._path.chmod(0o600)
            self._readline.write_history_file(self._path)

    def read(self, prompt: str) -> str:
        """Read one message; raises EOFError at Ctrl-D and KeyboardInterrupt at Ctrl-C."""
        return read_message(self._line, prompt)

    def _line(self, prompt: str) -> str:
        if self._readline is not None or not sys.stdin.isatty():
            return input(prompt)
        sys.stdout.write(prompt)
        sys.stdout.flush()
        return input()


def read_message(line: Callable[[str], str], prompt: str) -> str:
    r"""Put a message together from lines: ``\`` at the end goes on, ``\"\"\"`` stands around several."""
    first = line(prompt)
    more = "." * max(len(prompt.strip()), 1) + " "
    if first.strip() == _QUOTES:
        rows: list[str] = []
        while (row := line(more)).strip() != _QUOTES:
            rows.append(row)
        return "\n".join(rows)
    rows = [first]
    while rows[-1].endswith("\\"):
        rows[-1] = rows[-1][:-1]
        rows.append(line(more))
    return "\n".join(rows)


def _complete(text: str, state: int) -> str | None:
    found = [command for command in COMMANDS if command.startswith(text)] if text.startswith("/") else []
    return found[state] if state < len(found) else None
