"""One inference request on the short way: from the body's last byte to the answer's, without a task or a coroutine.

Whatever is out of the ordinary before the answer has begun (an unknown key, a refusal, no connection at rest, a target
that fails) is given back to the long way, which tells it properly; nothing has been sent to the caller by then.
"""

import asyncio
from typing import Protocol

from primeur.core.caller import Caller
from primeur.core.chat import Ask, Served, Target
from primeur.core.errors import BadRequest, PrimeurError, TargetFailed
from primeur.core.ports import Line
from primeur.gateway.lines import serving_lines
from primeur.walks.admit import Admission, admit, settle, write_letter
from primeur.walks.complete import tracing
from primeur.walks.house import House
from primeur.walks.meter import Meter
from primeur.walks.pass_on import ANSWER_LIMIT, Passage, fault_event, whole_answer
from primeur.walks.read_refusal import refusal

_LINGER_S = 0.25


class Client(Protocol):
    """The connection to whoever asked."""

    def send_whole(self, lines: bytes, body: bytes) -> None:
        """Send a whole answer with status 200; *lines* are header lines."""
        ...

    def send_refusal(self, error: PrimeurError) -> None:
        """Tell an error that is the caller's own."""
        ...

    def begin_stream(self, lines: bytes) -> None:
        """Send the head of a stream."""
        ...

    def send_piece(self, piece: bytes) -> None:
        """Send a part of a stream."""
        ...

    def end_stream(self, last: bytes) -> None:
        """Send the last part of a stream, and its end."""
        ...

    def take_long_way(self) -> None:
        """Answer by the ordinary application; nothing has been sent."""
        ...

    def drop(self) -> None:
        """Cut the connection: the answer cannot be finished."""
        ...


class Exchange:
    """Carries one request; a `primeur.core.ports.Sink` for its target's answer."""

    def __init__(self, house: House, caller: Caller, ask: Ask, client: Client) -> None:
        """For *ask* of *caller*, whose connection is *client*."""
        self._house, self._caller, self._ask, self._client = house, caller, ask, client
        self._admission: Admission | None = None
        self._target: Target | None = None
        self._meter: Meter | None = None
        self._line: Line | None = None
        self._passage: Passage | None = None
        self._status = 0
        self._headers: dict[bytes, bytes] = {}
        self._lines = b""
        self._body: list[bytes] = []
        self._size = 0
        self._streaming = False
        self._settled = False
        self._over = False

    def start(self) -> bool:
        """Admit and send; False when the long way has to be taken, with nothing held."""
        house, ask = self._house, self._ask
        try:
            admission = admit(house, self._caller, ask)
        except PrimeurError:
            return False
        target = admission.targets[0]
        try:
            letter = write_letter(target, ask, admission.cap)
            if letter.translation is None and not letter.each:
                self._line = house.relay.start_now(target.endpoint, letter.path, letter.body, tracing(ask), self)
        except PrimeurError:
            self._line = None
        if self._line is None:
            settle(house, ask, admission)
            return False
        self._admission, self._target = admission, target
        served = Served(admission.deployment.name, target, admission.deployment.price)
        self._meter = Meter(house, self._caller, ask, served, admission)
        if ask.streams:
            self._passage = Passage(self._meter, None)
        return True

    # --- the target's answer (Sink) -------------------------------------------------------------------------------

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """See `Sink`."""
        self._status, self._headers = status, headers
        if status == 200 and self._meter is not None:
            standing = self._meter.admission.hold.lane.standing(self._house.clock.now_ms())
            self._lines = serving_lines(self._meter.served, self._meter.admission.overhead_us, standing)

    def on_piece(self, piece: bytes) -> None:
        """See `Sink`."""
        if self._passage is None or self._status != 200:
            self._size += len(piece)
            self._body.append(piece)
            if self._size > ANSWER_LIMIT:
                self.on_fault(TargetFailed(f"the target sent more than {ANSWER_LIMIT} bytes"))
        elif not self._settled:
            self._pass(piece, self._passage)

    def on_end(self) -> None:
        """See `Sink`."""
        self._let_go()
        if self._over or self._settled or not self._status or self._meter is None:
            return
        if self._status != 200:
            self._refused(self._meter)
        elif self._passage is not None:
            self._finish(self._passage)
        else:
            self._whole(self._meter)

    def on_fault(self, fault: TargetFailed) -> None:
        """See `Sink`."""
        self._let_go()
        if self._over or self._settled:
            return
        if not self._streaming:
            self._long_way()
            return
        self._settle("failed", fault, fault_event(fault))

    # --- the caller -----------------------------------------------------------------------------------------------

    def hang_up(self) -> None:
        """The caller is gone: cancel upstream; what was made is metered."""
        self._over = True
        self._let_go()
        if not self._settled and self._meter is not None:
            self._settled = True
            self._house.journal.append_soon(self._meter.settle("cancelled"), _unheard)

    def pause(self) -> None:
        """The caller reads slowly: hold the target back."""
        if self._line is not None:
            self._line.pause()

    def resume(self) -> None:
        """The caller reads again."""
        if self._line is not None:
            self._line.resume()

    # --- steps ----------------------------------------------------------------------------------------------------

    def _pass(self, piece: bytes, passage: Passage) -> None:
        passed = passage.take(piece)
        if passed:
            if not self._streaming:
                self._streaming = True
                self._client.begin_stream(self._lines)
            self._client.send_piece(passed)
        if passage.done:
            # The end of HTTP usually is in the same packet; a target that forgets it is cut off a little later.
            asyncio.get_running_loop().call_later(_LINGER_S, self._let_go)
            self._finish(passage)

    def _finish(self, passage: Passage) -> None:
        try:
            last = passage.last()
        except TargetFailed as fault:
            self.on_fault(fault)
            return
        self._settle("completed", None, last)

    def _whole(self, meter: Meter) -> None:
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        try:
            answer = whole_answer(meter, body, None)
        except TargetFailed:
            self._long_way()
            return
        self._settle("completed", None, answer)

    def _settle(self, outcome: str, fault: PrimeurError | None, last: bytes) -> None:
        """Put the answer into the books; its last bytes leave once it is there."""
        assert self._meter is not None  # noqa: S101
        self._settled = True

        def durable(refused: OSError | None) -> None:
            if self._over:
                return
            self._over = True
            if refused is not None:
                self._client.drop()
            elif self._passage is None:
                self._client.send_whole(self._lines, last)
            else:
                if not self._streaming:
                    self._client.begin_stream(self._lines)
                self._client.end_stream(last)

        self._house.journal.append_soon(self._meter.settle(outcome, fault), durable)

    def _refused(self, meter: Meter) -> None:
        error = refusal(self._status, self._headers, b"".join(self._body), meter.served.target)
        if not isinstance(error, BadRequest):
            # Another target may answer, or the target later: the long way knows both.
            self._long_way()
            return
        self._over = self._settled = True
        settle(self._house, self._ask, meter.admission)
        self._client.send_refusal(error)

    def _long_way(self) -> None:
        assert self._meter is not None  # noqa: S101
        self._over = self._settled = True
        settle(self._house, self._ask, self._meter.admission)
        self._client.take_long_way()

    def _let_go(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


def _unheard(_fault: OSError | None) -> None:
    """Nobody waits for this event."""
