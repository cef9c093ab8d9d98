"""Take a GGUF file into the store, under its digest."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from primeur.core.errors import BadRequest, SetupError
from primeur.registry.rules import stored_path

_PIECE = 4 << 20
KIND = "gguf"
Progress = Callable[[int, int], None]


def keep_weights(
    source: Path,
    data_dir: Path,
    *,
    sha256: str | None = None,
    link: bool = False,
    progress: Progress | None = None,
) -> tuple[str, str]:
    """Give the digest of *source* and where it now lies below *data_dir*.

    Blocks for as long as reading the file takes. A file that breaks off leaves nothing behind.

    Args:
        sha256: what the file must be, in hexadecimal; None: whatever it is.
        link: make a hard link where the file system can; for files that nobody changes in place.
        progress: told the bytes done and the bytes in all.

    Raises:
        SetupError: the file cannot be read or the store cannot be written; says which.
        BadRequest: the file is not what *sha256* says.
    """
    partial = data_dir / "store" / "partial" / f"{os.getpid()}-{source.name}"
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        linked = link and _link(source, partial)
        digest = _read_through(source, None if linked else partial, progress)
        check_digest(digest, sha256)
        path = stored_path(digest, KIND)
        target = data_dir / path
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.replace(target)
        # Read-only, because what a digest names never changes; a linked file keeps its owner's choice.
        if not linked:
            target.chmod(0o444)
    except OSError as error:
        raise SetupError(f"weights cannot be kept: {error}; free space or change permissions") from None
    finally:
        partial.unlink(missing_ok=True)
    return digest, path


def check_digest(digest: str, sha256: str | None) -> None:
    """Let weights pass that are what they must be; raises as `keep_weights`."""
    if sha256 is not None and digest != f"sha256:{sha256.lower()}":
        raise BadRequest(f"the weights are {digest}, not sha256:{sha256}; fetch them again", param="sha256")


def _link(source: Path, target: Path) -> bool:
    target.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        return False
    return True


def _read_through(source: Path, target: Path | None, progress: Progress | None) -> str:
    total, done, digest = source.stat().st_size, 0, hashlib.sha256()
    with source.open("rb") as file, open(target or os.devnull, "wb") as copy:  # noqa: PTH123
        while piece := file.read(_PIECE):
            digest.update(piece)
            copy.write(piece)
            done += len(piece)
            if progress is not None:
                progress(done, total)
        copy.flush()
        if target is not None:
            os.fsync(copy.fileno())
    return f"sha256:{digest.hexdigest()}"
