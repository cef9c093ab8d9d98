"""A caller of another dialect on the short way: what an exchange says in OpenAI's words is told in the caller's own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import PrimeurError, TargetFailed
from primeur.core.wire import AnyRequest
from primeur.gateway.asker import Client
from primeur.walks.house import House
from primeur.walks.pass_on import fault_event

_NO_CHAT = (msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError, AttributeError, ValueError)
_log = logging.getLogger("primeur.gateway")
_keeping: set[asyncio.Task[None]] = set()


class Voice(Protocol):
    """One answer in the words of its caller; what it is given is a chat's."""

    def whole(self, body: bytes) -> bytes:
        """Give a whole answer.

        Raises:
            TargetFailed: it cannot be said.
        """
        ...

    def piece(self, block: bytes) -> bytes:
        """Give the events that a block of whole events becomes; the last block has a fault or ``[DONE]``.

        Raises:
            TargetFailed: as `whole`.
        """
        ...

    def keep(self) -> Awaitable[None] | None:
        """Give what has to be stored before the last byte leaves, once the answer has been given; None: nothing."""
        ...

    def last(self, fault: PrimeurError | None) -> bytes:
        """Give the event that ends a stream; *fault*: why it could not be stored."""
        ...

    def refusal(self, error: PrimeurError) -> PrimeurError:
        """Give *error*, which speaks of a chat, in the words of the request."""
        ...


class Heard(NamedTuple):
    """A request in OpenAI's words.

    Attributes:
        voice: who tells its answer; None where it may pass as it comes.
        affinity: see `primeur.core.chat.Ask`.
    """

    body: bytes
    fields: AnyRequest
    voice: Voice | None = None
    affinity: str | None = None


Hear = Callable[[House, Caller, bytes, str, int], Heard | None]
"""Reads a body: for whose house and caller, under which request's id, arrived at which millisecond (UTC).

None, or any error: the request is for the long way, which tells faults properly.
"""


class Interpreter:
    """A `primeur.gateway.asker.Client` between an exchange and a connection."""

    def __init__(self, client: Client, voice: Voice) -> None:
        """*voice* says what *client* is sent."""
        self._client, self._voice = client, voice

    @property
    def is_gone(self) -> bool:
        """See `Client`."""
        return self._client.is_gone

    def send_whole(self, lines: bytes, body: bytes) -> None:
        """See `Client`."""
        try:
            told = _say(self._voice.whole, body)
        except PrimeurError as error:
            self._client.send_refusal(error)
            return

        def then(fault: PrimeurError | None) -> None:
            if fault is None:
                self._client.send_whole(lines, told)
            else:
                self._client.send_refusal(fault)

        self._keep(then)

    def send_refusal(self, error: PrimeurError) -> None:
        """See `Client`."""
        self._client.send_refusal(self._voice.refusal(error))

    def begin_stream(self, lines: bytes) -> None:
        """See `Client`."""
        self._client.begin_stream(lines)

    def send_piece(self, piece: bytes) -> None:
        """See `Client`."""
        told = _say(self._voice.piece, piece)
        if told:
            self._client.send_piece(told)

    def send_packet(self, packet: bytes) -> None:
        """See `Client`."""
        self.send_piece(packet[packet.index(b"\n") + 1 : -2])

    def end_stream(self, last: bytes) -> None:
        """See `Client`."""
        try:
            told = _say(self._voice.piece, last)
        except TargetFailed as error:
            told = self._voice.piece(fault_event(error))
        self._keep(lambda fault: self._client.end_stream(told + self._voice.last(fault)))

    def take_long_way(self) -> None:
        """See `Client`."""
        self._client.take_long_way()

    def drop(self) -> None:
        """See `Client`."""
        self._client.drop()

    def _keep(self, then: Callable[[PrimeurError | None], None]) -> None:
        """Store what is to be stored, and go on."""
        keeping = self._voice.keep()
        if keeping is None:
            then(None)
            return
        task = asyncio.get_running_loop().create_task(self._kept(keeping, then))
        _keeping.add(task)
        task.add_done_callback(_keeping.discard)

    async def _kept(self, keeping: Awaitable[None], then: Callable[[PrimeurError | None], None]) -> None:
        fault: PrimeurError | None = None
        try:
            await keeping
        except PrimeurError as error:
            fault = error
        except Exception:  # noqa: BLE001 (the answer is there, and its caller is told that it was not stored)
            _log.exception("an answer could not be stored")
            fault = PrimeurError("the answer could not be stored; see the log of Primeur")
        if not self._client.is_gone:
            then(fault)


def _say(words: Callable[[bytes], bytes], said: bytes) -> bytes:
    try:
        return words(said)
    except _NO_CHAT as error:
        raise TargetFailed(f"the target's answer is not a chat's: {error!r}") from None
