"""The server of one process: its listener, its settings, and where others find it."""

import asyncio
import contextlib
import ctypes
import gc
import os
import resource
import socket
import ssl
import sys
from collections.abc import Iterator

import msgspec
import uvicorn

from primeur.app import build_app
from primeur.config import Settings
from primeur.core.errors import SetupError
from primeur.gateway.express import express_protocol
from primeur.gateway.table import Table
from primeur.walks.house import House


class Server(uvicorn.Server):
    """Leaves signals to us: the first one drains, the second one ends at once."""

    def __init__(self, config: uvicorn.Config) -> None:
        """As uvicorn's."""
        super().__init__(config)
        self.opened = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the doors, and say so."""
        await super().startup(sockets)
        _give_back()
        self.opened.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install nothing."""
        yield

    def cut_off(self) -> None:
        """The time to finish is over: whoever still reads is hung up on, and what was made is metered."""
        for connection in list(self.server_state.connections):
            connection.cut()  # type: ignore[union-attr] # all are made by `express_protocol`


def make_server(house: House, settings: Settings) -> Server:
    """Make the server of *house*.

    Raises:
        SetupError: the certificate or its key cannot be used.
    """
    check_certificate(settings)
    return Server(
        uvicorn.Config(
            build_app(house),
            http=express_protocol(house, Table()),
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=settings.drain_s,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
        )
    )


def check_certificate(settings: Settings) -> None:
    """See that https can be served, if it is asked for.

    Raises:
        SetupError: one of certificate and key is missing, cannot be read, or does not fit the other.
    """
    cert, key = settings.tls_cert, settings.tls_key
    if cert is None and key is None:
        return
    if cert is None or key is None:
        raise SetupError("https needs both --tls-cert and --tls-key")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or error
        raise SetupError(f"the certificate {cert} with the key {key} cannot be used: {reason}") from None


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Bind a port.

    Args:
        shared: with other processes of this user that say the same (SO_REUSEPORT); the kernel deals connections out.

    Raises:
        SetupError: it cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SetupError(
            f"port {port} on {host} cannot be used ({error.strerror}); choose another with --port"
        ) from error
    return listener


def tune() -> None:
    """Set the interpreter up for many short requests."""
    # Everything loaded so far stays for good; looking through it again and again is half of the collector's work.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    # The event loop gives the interpreter's lock up whenever it reads, writes or waits, and has to get it back from the
    # threads that write rows or mask prompts: after half a millisecond instead of five.
    sys.setswitchinterval(0.0005)
    # An open stream takes two descriptors, the caller's and the target's.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _give_back() -> None:
    """Give memory that only the start needed back to the system."""
    gc.collect()
    gc.freeze()
    with contextlib.suppress(OSError, AttributeError):
        # The C library keeps freed pages between two that are in use; only glibc has this call.
        ctypes.CDLL(None).malloc_trim(0)


def note_service(settings: Settings, port: int) -> str:
    """Tell the command line where the service is; gives its address."""
    host = settings.host
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    url = f"{'http' if settings.tls_cert is None else 'https'}://{name}:{port}"
    cert = "" if settings.tls_cert is None else str(settings.tls_cert)
    note = {"url": url, "pid": os.getpid(), "cert": cert}
    (settings.data_dir / "service.json").write_bytes(msgspec.json.encode(note))
    return url
