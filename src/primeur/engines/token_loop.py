"""Runs a `Stepper` in a thread of its own and hands its tokens to the event loop, one hop for each step."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count

from primeur.engines.token_maker import Draw, Made, Stepper

Piece = list[Made] | Exception


class TokenLoop:
    """Takes answers on from the event loop; the thread sleeps while there are none.

    Attributes:
        busy: answers under way.
    """

    def __init__(self, stepper: Stepper, broken: Callable[[], None]) -> None:
        """*broken* is called, from the event loop, once the stepper can do no more."""
        self._stepper, self._broken = stepper, broken
        self._numbers = count(1)
        self._loop = asyncio.get_running_loop()
        self._wake = threading.Condition()
        self._orders: list[Callable[[], None]] = []
        self._makings: dict[int, TokenMaking] = {}
        threading.Thread(target=self._run, daemon=True, name="tokens").start()

    @property
    def busy(self) -> int:
        """See the class."""
        return len(self._makings)

    def begin(self, prompt: Sequence[int], draw: Draw) -> "TokenMaking":
        """Take an answer on."""
        making = TokenMaking(next(self._numbers), self)
        self._makings[making.number] = making
        self._order(lambda: self._add(making.number, prompt, draw))
        return making

    def forget(self, number: int) -> None:
        """Work no more on an answer."""
        if self._makings.pop(number, None) is not None:
            self._order(lambda: self._stepper.drop(number))

    # --- in the thread --------------------------------------------------------------------------------------------

    def _order(self, work: Callable[[], None]) -> None:
        with self._wake:
            self._orders.append(work)
            self._wake.notify()

    def _run(self) -> None:
        try:
            while True:
                with self._wake:
                    while not self._orders and not self._makings:
                        self._wake.wait()
                    orders, self._orders = self._orders, []
                for work in orders:
                    work()
                made = list(self._stepper.step())
                if made:
                    self._loop.call_soon_threadsafe(self._hand_out, made)
        except Exception as error:  # noqa: BLE001 (whoever waits must hear of it, and the process must end)
            sys.stderr.write(f"fatal: the engine broke: {error}\n")
            self._loop.call_soon_threadsafe(self._break, error)

    def _add(self, number: int, prompt: Sequence[int], draw: Draw) -> None:
        try:
            self._stepper.add(number, prompt, draw)
        except ValueError as error:
            self._loop.call_soon_threadsafe(self._tell, number, error)

    # --- in the event loop ----------------------------------------------------------------------------------------

    def _hand_out(self, made: list[tuple[int, list[Made]]]) -> None:
        for number, tokens in made:
            self._tell(number, tokens)

    def _tell(self, number: int, piece: Piece) -> None:
        making = self._makings.get(number)
        if making is not None:
            if isinstance(piece, Exception) or piece[-1].finish is not None:
                del self._makings[number]
            making.pieces.put_nowait(piece)

    def _break(self, error: Exception) -> None:
        for number in list(self._makings):
            self._tell(number, RuntimeError(f"the engine broke: {error}"))
        self._broken()


class TokenMaking:
    """Implements `primeur.engines.token_maker.Making`; its queue is bounded by the answer's length."""

    def __init__(self, number: int, loop: TokenLoop) -> None:
        """Number *number* of *loop*."""
        self.number, self._loop = number, loop
        self.pieces: asyncio.Queue[Piece] = asyncio.Queue()

    async def __aiter__(self) -> AsyncIterator[list[Made]]:
        """See the protocol."""
        while True:
            piece = await self.pieces.get()
            if isinstance(piece, Exception):
                raise piece
            yield piece
            if piece[-1].finish is not None:
                return

    def cancel(self) -> None:
        """See the protocol."""
        self._loop.forget(self.number)
