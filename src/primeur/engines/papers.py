"""What the host remembers of its processes between two starts of Primeur: one small file per revision."""

import hashlib
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from primeur.core.ports import Launch
from primeur.engines.spawn import Child

_OWN_ONLY = 0o600
_MAKERS = ("primeur", "xllamacpp", "openvino-genai", "transformers", "torch", "ray")


class Papers(msgspec.Struct, frozen=True):
    """One running process; the file is readable by its owner only, because of the secret.

    Attributes:
        digest: of the launch it was started with, see `digest_launch`.
        started_ms: UTC milliseconds.
        grace_s: seconds that it may take to finish its requests.
    """

    pid: int
    started_ticks: int
    port: int
    secret: str
    digest: str
    started_ms: int
    grace_s: float = 30.0

    @property
    def child(self) -> Child:
        """The process these papers are about, as a stranger's child."""
        return Child(self.pid, self.started_ticks, self.port, self.secret, ours=False)


def digest_launch(launch: Launch) -> str:
    """Name a launch by its content: the same program, arguments and package versions give the same digest."""
    versions = [_version(name) for name in _MAKERS]
    text = msgspec.json.encode([launch.argv, sorted(launch.environment.items()), launch.prefix, versions])
    return hashlib.sha256(text).hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def keep_papers(path: Path, papers: Papers) -> None:
    """Write the papers, whole or not at all."""
    draft = path.with_suffix(".draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWN_ONLY)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(papers))
    draft.replace(path)


def find_papers(path: Path) -> Papers | None:
    """Read the papers; None when there are none or they are damaged, for a process can always be started anew."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Papers)
    except (OSError, msgspec.DecodeError):
        return None
