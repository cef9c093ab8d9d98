"""What every engine process of ours does besides serving: read its orders, watch its owner, leave in order.

Runs inside the child process and imports nothing heavy.
"""

import fcntl
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ORPHAN_S = 60.0
GRACE_S = 30.0
CHECKS_PER_WAIT = 12


@dataclass(frozen=True, slots=True)
class Orders:
    """What the host told this process.

    Attributes:
        port: loopback port to listen on.
        key: bearer key that every request must carry.
        owner: file whose lock the owner holds; None when nobody watches.
        orphan_s: seconds without an owner after which this process ends itself.
        grace_s: seconds it may take to finish its requests once it is told to end.
    """

    port: int
    key: str
    owner: Path | None = None
    orphan_s: float = ORPHAN_S
    grace_s: float = GRACE_S


def read_orders(environment: Mapping[str, str] = os.environ) -> Orders:
    """Read the orders from ``PRIMEUR_ENGINE_*``; ends the process with a clear line when they are missing."""
    try:
        port, key = int(environment["PRIMEUR_ENGINE_PORT"]), environment["PRIMEUR_ENGINE_KEY"]
    except (KeyError, ValueError):
        fatal("PRIMEUR_ENGINE_PORT and PRIMEUR_ENGINE_KEY must be set; engines are started by primeur up")
    owner = environment.get("PRIMEUR_ENGINE_OWNER")
    return Orders(
        port=port,
        key=key,
        owner=Path(owner) if owner else None,
        orphan_s=float(environment.get("PRIMEUR_ENGINE_ORPHAN_S", ORPHAN_S)),
        grace_s=float(environment.get("PRIMEUR_ENGINE_GRACE_S", GRACE_S)),
    )


def fatal(reason: str) -> NoReturn:
    """End the process, leaving the reason where the host finds it: the last ``fatal:`` line of the log."""
    sys.stderr.write(f"fatal: {' '.join(reason.split())}\n")
    sys.stderr.flush()
    sys.exit(1)


def is_held(owner: int) -> bool:
    """Whether somebody holds the lock of the open file *owner*."""
    try:
        # Shared, so that many engines may look at once; let go at once, so that a new owner can have it.
        fcntl.flock(owner, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(owner, fcntl.LOCK_UN)
    return False


def watch_owner(orders: Orders) -> None:
    """End this process (SIGTERM to itself) when nobody has held the owner's lock for ``orphan_s`` seconds."""
    if orders.owner is None:
        return
    # Opened once: should the data folder be removed and made anew, its new owner is not ours.
    try:
        owner = os.open(orders.owner, os.O_RDONLY)
    except OSError as error:
        fatal(f"the owner's lock cannot be read: {error}")
    threading.Thread(target=_watch, args=(owner, orders.orphan_s), daemon=True, name="owner").start()


def _watch(owner: int, orphan_s: float) -> None:
    pause = threading.Event()
    missed = 0
    while missed < CHECKS_PER_WAIT:
        pause.wait(orphan_s / CHECKS_PER_WAIT)
        missed = 0 if is_held(owner) else missed + 1
    sys.stderr.write("nobody holds the owner's lock any more: ending\n")
    os.kill(os.getpid(), signal.SIGTERM)
