"""Which service a command speaks to, and with which key."""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

import httpx2
import msgspec

from primeur.config import read_settings
from primeur.core.errors import SetupError
from primeur.governance.rules import operator_key

_LOOK_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a service answers, without a slash at the end, and the key that opens it.

    Attributes:
        cert: PEM file of the certificate that it must show; empty: one of the system's authorities.
    """

    url: str
    key: str
    cert: str = ""

    @property
    def tls(self) -> ssl.SSLContext:
        """How its certificate is checked: a service of this machine must show the very one that it was started with."""
        if not self.cert:
            return ssl.create_default_context()
        context = ssl.create_default_context(cafile=self.cert)
        context.check_hostname = False
        return context


class Note(msgspec.Struct, frozen=True):
    """What a running service writes into ``DATA/service.json``."""

    url: str
    pid: int
    cert: str = ""


def find_service(data_dir: Path | None) -> Reach:
    """Find a running service: of a named folder, else ``PRIMEUR_URL`` with ``PRIMEUR_KEY``, else of the folder here.

    Raises:
        SetupError: nothing runs there, or there is no key for it.
    """
    if data_dir is None and os.environ.get("PRIMEUR_URL"):
        return named_service()
    folder = read_settings(data_dir=data_dir).data_dir
    running = find_running(folder)
    if running is None:
        raise SetupError(f"no service runs on {folder}; start it with `primeur up`, or set PRIMEUR_URL and PRIMEUR_KEY")
    return Reach(running.url, os.environ.get("PRIMEUR_KEY") or operator_key(read_secret(folder)), running.cert)


def named_service() -> Reach:
    """Give the service that ``PRIMEUR_URL`` names.

    Raises:
        SetupError: there is no key for it.
    """
    key = os.environ.get("PRIMEUR_KEY")
    if not key:
        raise SetupError("PRIMEUR_URL is set and PRIMEUR_KEY is not; set it to a key of that service")
    # People set the address that they give to OpenAI's client, too.
    return Reach(os.environ["PRIMEUR_URL"].rstrip("/").removesuffix("/v1"), key)


def find_running(folder: Path) -> Reach | None:
    """Give the service that runs on a data folder, without a key; None when none answers."""
    try:
        note = msgspec.json.decode((folder / "service.json").read_bytes(), type=Note)
        found = Reach(note.url, "", note.cert)
        verify = found.tls if note.cert else True
        httpx2.get(f"{note.url}/healthz", timeout=_LOOK_TIMEOUT_S, trust_env=False, verify=verify)
    except (OSError, msgspec.MsgspecError, httpx2.HTTPError):
        return None
    return found


def read_secret(folder: Path) -> bytes:
    """Read what the operator's key is made from.

    Raises:
        SetupError: only the user of the service can.
    """
    try:
        return (folder / "secret").read_bytes()
    except OSError as error:
        raise SetupError(
            f"{folder / 'secret'} cannot be read ({error.strerror}); run this as the user of the service, "
            "or set PRIMEUR_URL and PRIMEUR_KEY"
        ) from None
