"""Take a folder of safetensors into the store, under the digest of all its files."""

import hashlib
import os
import shutil
import tarfile
from pathlib import Path

from primeur.core.errors import BadRequest, SetupError
from primeur.core.safetensors import MAX_FILES, FolderHead, read_weights_folder
from primeur.registry.rules import stored_path
from primeur.walks.keep_weights import check_digest

_PIECE = 4 << 20
KIND = "safetensors"


def keep_folder(source: Path, data_dir: Path, sha256: str | None = None) -> tuple[FolderHead, str, str]:
    """Move *source* into the store; gives its head, its digest and where it now lies below *data_dir*.

    Blocks for as long as reading the files takes. What lies in the store already and is damaged is put right.

    Args:
        sha256: what the folder must be, in hexadecimal (see `digest_folder`); None: whatever it is.

    Raises:
        SetupError: it is no folder of safetensors, or the store cannot be written.
        BadRequest: the folder is not what *sha256* says.
    """
    head = read_weights_folder(source)
    digest = digest_folder(source, head.files)
    check_digest(digest, sha256)
    path = stored_path(digest, KIND)
    target = data_dir / path
    try:
        if not _is_whole(target, digest):
            shutil.rmtree(target, ignore_errors=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            for name in head.files:
                (source / name).chmod(0o444)
            source.replace(target)
    except OSError as error:
        raise SetupError(f"weights cannot be kept: {error}; free space or change permissions") from None
    return head, digest, path


def _is_whole(target: Path, digest: str) -> bool:
    try:
        return target.is_dir() and digest_folder(target, read_weights_folder(target).files) == digest
    except (OSError, SetupError):
        return False


def digest_folder(folder: Path, names: tuple[str, ...]) -> str:
    """Name a folder by its content: the SHA-256 of the lines ``SHA-256  NAME``, as ``sha256sum`` prints them."""
    whole = hashlib.sha256()
    for name in names:
        one = hashlib.sha256()
        with (folder / name).open("rb") as file:
            while piece := file.read(_PIECE):
                one.update(piece)
        whole.update(f"{one.hexdigest()}  {name}\n".encode())
    return f"sha256:{whole.hexdigest()}"


def unpack_folder(archive: Path, target: Path) -> None:
    """Unpack a tar archive of plain files, all at its top, into the new folder *target*.

    Raises:
        BadRequest: not such an archive; names what it holds instead.
    """
    target.mkdir(parents=True)
    try:
        with tarfile.open(archive, "r:") as opened:
            for number, member in enumerate(opened):
                _take(opened, member, number, target)
    except tarfile.TarError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise BadRequest(f"the body is not a whole tar archive: {error}", param="file") from None
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _take(opened: tarfile.TarFile, member: tarfile.TarInfo, number: int, target: Path) -> None:
    name = member.name.removeprefix("./")
    if member.isdir() and name in {"", "."}:
        return
    if number > MAX_FILES or not member.isreg() or "/" in name or name in {"", ".", ".."} or "\0" in name:
        raise BadRequest(f"the archive holds {member.name!r}; weights are plain files side by side", param="file")
    source = opened.extractfile(member)
    assert source is not None  # noqa: S101
    with (target / name).open("xb") as file:
        shutil.copyfileobj(source, file, _PIECE)
        file.flush()
        os.fsync(file.fileno())
