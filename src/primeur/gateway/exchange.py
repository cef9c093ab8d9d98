"""One inference request on the short way: from the body's last byte to the answer's, without a task or a coroutine.

Whatever is out of the ordinary before the answer has begun (an unknown key, a refusal, no connection to be had, a
target that fails) is given back to the long way, which tells it properly; nothing has been sent to the caller by then.
"""

import asyncio

import msgspec

from primeur.core.caller import Caller
from primeur.core.chat import Ask, Deployment, Translation
from primeur.core.errors import BadRequest, PrimeurError, TargetFailed, TargetStale
from primeur.core.ports import Line
from primeur.core.splice import with_member
from primeur.core.usage import Usage
from primeur.gateway.asker import Client
from primeur.gateway.lines import guarded, serving_lines
from primeur.metering.counting import usage_of
from primeur.metering.rules import charge
from primeur.walks.admit import Admission, admit, settle, withdraw
from primeur.walks.complete import note_fault
from primeur.walks.guard_request import Guarding
from primeur.walks.house import House
from primeur.walks.meter import Meter
from primeur.walks.pass_on import ANSWER_LIMIT, Passage, fault_event, whole_answer
from primeur.walks.read_refusal import refusal
from primeur.walks.stencil import Stencil, stencil_for

_LINGER_S = 0.25


class Exchange(msgspec.Struct, eq=False):
    """Carries one request; a `primeur.core.ports.Sink` for its target's answer.

    Attributes:
        house, caller, ask: whose request it is; its connection is *client*.
        admission, stencil: that it was let in, and whom it was sent to; None until then.
        meter: what it has come to, where that is more than one look at a whole answer.
        guarding, looked: the deployment's guard, which has let the prompt pass, and its look at the answer.
        line: to the target, while it answers.
        lines: of the answer's head.
        last: what is sent once the answer is in the books.
        settled: the usage event is made, or nothing is left to meter.
        over: nobody is to be told anything any more.
    """

    house: House
    caller: Caller
    ask: Ask
    client: Client
    admission: Admission | None = None
    stencil: Stencil | None = None
    meter: Meter | None = None
    guarding: Guarding | None = None
    looked: Translation | None = None
    line: Line | None = None
    passage: Passage | None = None
    status: int = 0
    headers: dict[bytes, bytes] | None = None
    lines: bytes = b""
    body: list[bytes] | None = None
    size: int = 0
    last: bytes = b""
    streaming: bool = False
    settled: bool = False
    over: bool = False

    def start(self) -> bool:
        """Admit and send; False when the long way has to be taken, with nothing held."""
        house, ask = self.house, self.ask
        try:
            admission = admit(house, self.caller, ask)
        except PrimeurError:
            return False
        line = None
        try:
            stencil = stencil_for(house, admission.way, ask.route, admission.targets[0], self.caller)
            body = stencil.body(ask, admission.cap)
            if body is not None and self._passes_guard(admission.deployment):
                line = stencil.post.start(ask.id, body, self)
        except PrimeurError:
            pass
        if line is None:
            withdraw(house, ask, admission)
            return False
        mirror = admission.way.deployment.mirror
        if mirror is not None:
            mirror.copy(ask)
        self.line, self.admission, self.stencil = line, admission, stencil
        if ask.streams:
            self.passage = Passage(self._metered(), self.looked)
        return True

    # --- the target's answer (Sink) -------------------------------------------------------------------------------

    def on_whole(self, status: int, headers: dict[bytes, bytes], body: bytes) -> None:
        """See `Sink`."""
        self.on_head(status, headers)
        if self.passage is None and status == 200 and len(body) <= ANSWER_LIMIT:
            self.line = None
            if not self.over:
                self._whole(body)
            return
        self.on_piece(body)
        self.on_end()

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """See `Sink`."""
        self.status, self.headers = status, headers
        if status == 200 and self.admission is not None and self.stencil is not None:
            standing = self.admission.hold.lane.standing(self.house.clock.now_ms())
            self.lines = serving_lines(self.stencil.served, self.admission.overhead_us, standing)

    def on_piece(self, piece: bytes) -> None:
        """See `Sink`."""
        if self.passage is None or self.status != 200:
            self.size += len(piece)
            self.body = self.body or []
            self.body.append(piece)
            if self.size > ANSWER_LIMIT:
                self.on_fault(TargetFailed(f"the target sent more than {ANSWER_LIMIT} bytes"))
        elif not self.settled:
            self._pass(piece, self.passage)

    def on_packet(self, packet: bytes) -> bool:
        """See `Sink`."""
        passage = self.passage
        if passage is None or self.settled or not self.streaming or not passage.passes(packet):
            return False
        try:
            self.client.send_packet(packet)
        except TargetFailed as fault:
            self.on_fault(fault)
        return True

    def on_end(self) -> None:
        """See `Sink`."""
        self.line = None
        if self.over or self.settled:
            return
        if self.status != 200:
            self._refused(self._metered())
        elif self.passage is not None:
            self._finish(self.passage)
        else:
            self._whole(b"".join(self.body or ()))

    def on_fault(self, fault: TargetFailed) -> None:
        """See `Sink`."""
        self._let_go()
        if self.over or self.settled:
            return
        if not self.streaming:
            self._long_way(fault)
            return
        self._settle("failed", fault, fault_event(fault, self.stencil.served.deployment if self.stencil else ""))

    # --- the caller -----------------------------------------------------------------------------------------------

    def hang_up(self) -> None:
        """The caller is gone: cancel upstream; what was made is metered."""
        self.over = True
        self._let_go()
        if not self.settled and self.admission is not None:
            self.settled = True
            self._tell_guard()
            self.house.journal.append_soon(self._metered().settle("cancelled"), _unheard)

    def pause(self) -> None:
        """The caller reads slowly: hold the target back."""
        if self.line is not None:
            self.line.pause()

    def resume(self) -> None:
        """The caller reads again."""
        if self.line is not None:
            self.line.resume()

    # --- steps ----------------------------------------------------------------------------------------------------

    def _pass(self, piece: bytes, passage: Passage) -> None:
        passed = passage.take(piece)
        if passed:
            if not self.streaming:
                self.streaming = True
                self.client.begin_stream(self.lines)
            try:
                self.client.send_piece(passed)
            except TargetFailed as fault:
                self.on_fault(fault)
                return
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

    def _whole(self, body: bytes) -> None:
        try:
            usage = None if self.caller.keeps_prompts or self.looked is not None else usage_of(body)
            if usage is None:
                self._settle("completed", None, whole_answer(self._metered(), body, self.looked))
            else:
                self._book(body, usage)
        except TargetFailed as fault:
            self._long_way(fault)

    def _book(self, body: bytes, usage: Usage) -> None:
        """Put a whole answer whose usage is known into the books: `Meter` step by step, at once."""
        stencil, admission, house, ask = self.stencil, self.admission, self.house, self.ask
        assert stencil is not None and admission is not None  # noqa: S101, PT018
        cost_nanos = charge(usage, stencil.served.price)
        cost = b"null" if cost_nanos is None else b"%d" % cost_nanos
        self.last = with_member(body, stencil.account % (ask.id.encode(), cost))
        self.settled = True
        settle(house, ask, admission, usage, cost_nanos)
        took_us = house.clock.monotonic_us() - ask.arrived_us
        mould = stencil.mould(self.caller, ask)
        record = mould.cast(ask, usage, cost_nanos, took_us, took_us, admission.overhead_us)
        house.journal.append_record(record, self._durable)

    def _passes_guard(self, deployment: Deployment) -> bool:
        """Let the guard look; a prompt of which something is to be told goes the long way."""
        if deployment.guard is None:
            return True
        guarding = self.guarding = Guarding(self.house, self.caller, self.ask, deployment)
        self.looked = guarding.look_at(None)
        return guarding.passes()

    def _tell_guard(self) -> None:
        if self.guarding is not None and self.stencil is not None:
            self.guarding.tell_soon(self.stencil.served.target.revision_id)
            if self.guarding.verdicts:
                self.lines += b"x-primeur-guard: %b\r\n" % guarded(self.guarding.verdicts)

    def _metered(self) -> Meter:
        """Give the meter, made when there is more to do than `_book` does."""
        if self.meter is None:
            assert self.stencil is not None and self.admission is not None  # noqa: S101, PT018
            self.meter = Meter(self.house, self.caller, self.ask, self.stencil.served, self.admission)
        return self.meter

    def _settle(self, outcome: str, fault: PrimeurError | None, last: bytes) -> None:
        """Put the answer into the books; its last bytes leave once it is there."""
        self.settled, self.last = True, last
        self._tell_guard()
        self.house.journal.append_soon(self._metered().settle(outcome, fault), self._durable)

    def _durable(self, refused: OSError | None) -> None:
        if self.over:
            return
        self.over = True
        if refused is not None:
            self.client.drop()
        elif self.passage is None:
            self.client.send_whole(self.lines, self.last)
        else:
            if not self.streaming:
                self.client.begin_stream(self.lines)
            self.client.end_stream(self.last)

    def _refused(self, meter: Meter) -> None:
        error = refusal(self.status, self.headers or {}, b"".join(self.body or ()), meter.served.target)
        if not isinstance(error, BadRequest):
            # Another target may answer, or the target later: the long way knows both.
            self._long_way(error)
            return
        self.over = self.settled = True
        settle(self.house, self.ask, meter.admission)
        self.client.send_refusal(error)

    def _long_way(self, fault: PrimeurError) -> None:
        assert self.stencil is not None and self.admission is not None  # noqa: S101, PT018
        if not isinstance(fault, TargetStale):
            note_fault(self.house, self.ask, self.stencil.served.target, fault)
        self.over = self.settled = True
        withdraw(self.house, self.ask, self.admission)
        self.client.take_long_way()

    def _let_go(self) -> None:
        line, self.line = self.line, None
        if line is not None:
            line.close()


def _unheard(_fault: OSError | None) -> None:
    """Nobody waits for this event."""
