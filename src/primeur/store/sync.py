"""Make what was written durable without stopping the event loop: Linux's own asynchronous I/O, or else a thread.

A thread costs each batch two hops and several turns at the interpreter's lock; the kernel does the same by itself and
tells an eventfd. Where there is no such kernel, or it is forbidden, the thread does it.
"""

import asyncio
import ctypes
import errno
import os
import platform
import queue
import threading
from collections.abc import Callable
from typing import Any, Protocol

Done = Callable[[OSError | None], None]
# io_setup, io_destroy, io_getevents, io_submit; from Linux's table of system calls.
_CALLS = {"x86_64": (206, 207, 208, 209), "aarch64": (0, 1, 4, 2)}
_FDSYNC = 3
_TELL_EVENTFD = 1


class Sync(Protocol):
    """Syncs one file at a time."""

    def start(self, file: int, done: Done) -> None:
        """Begin; *done* is called from the event loop once all that was written to *file* before is on disk."""
        ...

    def close(self) -> None:
        """Let go; nothing is under way."""
        ...


class ThreadSync:
    """Syncs in a thread."""

    def __init__(self) -> None:
        """Start it."""
        self._loop = asyncio.get_running_loop()
        self._orders: queue.SimpleQueue[tuple[int, Done] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def start(self, file: int, done: Done) -> None:
        """See `Sync`."""
        self._orders.put((file, done))

    def close(self) -> None:
        """See `Sync`."""
        self._orders.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (order := self._orders.get()) is not None:
            fault: OSError | None = None
            try:
                os.fdatasync(order[0])
            except OSError as error:
                fault = error
            self._loop.call_soon_threadsafe(order[1], fault)


class _Order(ctypes.Structure):
    """Linux's ``struct iocb``."""

    _fields_ = (
        ("data", ctypes.c_uint64),
        ("key", ctypes.c_uint32),
        ("rw_flags", ctypes.c_int32),
        ("opcode", ctypes.c_uint16),
        ("priority", ctypes.c_int16),
        ("file", ctypes.c_uint32),
        ("buffer", ctypes.c_uint64),
        ("bytes", ctypes.c_uint64),
        ("offset", ctypes.c_int64),
        ("reserved", ctypes.c_uint64),
        ("flags", ctypes.c_uint32),
        ("eventfd", ctypes.c_uint32),
    )


class _Event(ctypes.Structure):
    """Linux's ``struct io_event``."""

    _fields_ = (
        ("data", ctypes.c_uint64),
        ("order", ctypes.c_uint64),
        ("result", ctypes.c_int64),
        ("result2", ctypes.c_int64),
    )


class KernelSync:
    """Syncs by ``io_submit``, which only hands the order over.

    Source: Linux, ``io_submit(2)``, ``IOCB_CMD_FDSYNC`` (asynchronous since 4.18).
    """

    def __init__(self) -> None:
        """Set up.

        Raises:
            OSError: the kernel does not have it, or it is forbidden here.
        """
        numbers = _CALLS.get(platform.machine()) if platform.system() == "Linux" else None
        if numbers is None:
            raise OSError(errno.ENOSYS, "no asynchronous I/O on this platform")
        self._setup, self._destroy, self._get_events, self._submit = numbers
        # These calls never wait, so the interpreter's lock is kept.
        self._call = ctypes.PyDLL(None, use_errno=True).syscall
        self._call.restype = ctypes.c_long
        self._context = ctypes.c_ulong(0)
        self._checked(self._setup, ctypes.c_uint(1), ctypes.byref(self._context))
        self._eventfd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._order = _Order(opcode=_FDSYNC, flags=_TELL_EVENTFD, eventfd=self._eventfd)
        self._orders = (ctypes.c_void_p * 1)(ctypes.addressof(self._order))
        self._events = (_Event * 1)()
        self._one, self._none = ctypes.c_long(1), ctypes.c_long(0)
        self._done: Done | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._eventfd, self._told)

    def start(self, file: int, done: Done) -> None:
        """See `Sync`."""
        self._order.file = file
        self._done = done
        try:
            self._checked(self._submit, self._context, self._one, self._orders)
        except OSError as fault:
            self._loop.call_soon(self._tell, fault)

    def close(self) -> None:
        """See `Sync`."""
        self._loop.remove_reader(self._eventfd)
        os.close(self._eventfd)
        self._checked(self._destroy, self._context)

    def _told(self) -> None:
        os.read(self._eventfd, 8)
        if self._checked(self._get_events, self._context, self._none, self._one, self._events, None) != 1:
            return
        failed = -self._events[0].result
        self._tell(OSError(failed, os.strerror(failed)) if failed else None)

    def _tell(self, fault: OSError | None) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(fault)

    def _checked(self, number: int, *words: Any) -> int:
        told = int(self._call(ctypes.c_long(number), *words))
        if told < 0:
            failed = ctypes.get_errno()
            raise OSError(failed, os.strerror(failed))
        return told


def best_sync() -> Sync:
    """Give what this machine does best."""
    try:
        return KernelSync()
    except (OSError, AttributeError):
        return ThreadSync()
