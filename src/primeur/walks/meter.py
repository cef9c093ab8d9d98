"""Close a request's account: one usage event, durable; the hold settled. Outlives a hang-up."""

import asyncio

import msgspec

from primeur.core.caller import Caller
from primeur.core.chat import Ask, Placement, Served
from primeur.core.errors import PrimeurError
from primeur.core.usage import Usage, UsageEvent
from primeur.governance.data_rules import kept_answer, kept_prompt
from primeur.metering.counting import count_images, counted
from primeur.metering.rules import charge
from primeur.walks.admit import Admission, settle
from primeur.walks.house import House


class Meter(msgspec.Struct, eq=False):
    """What one request has come to so far.

    Attributes:
        usage: as the target said; None while it has not.
        pieces: parts of the answer that were passed on.
        kept: the answer's text, collected only for projects that keep prompts.
        billed, bill_nanos: the usage whose cost is known, and the cost.
        pictures: in the prompt; None while nobody has counted them.
        seat: its place under a right; None where none concerns it.
    """

    house: House
    caller: Caller
    ask: Ask
    served: Served
    admission: Admission
    first_token_us: int | None = None
    usage: Usage | None = None
    pieces: int = 0
    kept: list[str] = []
    closing: asyncio.Task[None] | None = None
    billed: Usage | None = None
    bill_nanos: int | None = None
    pictures: int | None = None
    seat: Placement | None = None

    def first_piece(self) -> None:
        """Note when the answer began."""
        if self.first_token_us is None:
            self.first_token_us = self.house.clock.monotonic_us() - self.ask.arrived_us

    @property
    def cost_nanos(self) -> int | None:
        """What the caller owes so far; None is unknown."""
        usage = self.usage
        if usage is None:
            return charge(counted(self.ask, self.pieces), self.served.price, self.images)
        if self.billed is not usage:
            self.billed, self.bill_nanos = usage, charge(usage, self.served.price, self.images)
        return self.bill_nanos

    @property
    def images(self) -> int:
        """Pictures in the prompt, which is looked through once."""
        if self.pictures is None:
            self.pictures = count_images(self.ask)
        return self.pictures

    async def close(self, outcome: str, error: PrimeurError | None = None) -> None:
        """Write the usage event and settle the hold; the first call counts, later ones wait for it."""
        # A caller who hangs up still pays for what was made, so closing must outlive the hang-up.
        if self.closing is None:
            self.closing = asyncio.get_running_loop().create_task(self._close(outcome, error))
        await asyncio.shield(self.closing)

    async def _close(self, outcome: str, error: PrimeurError | None) -> None:
        await self.house.journal.append(self.settle(outcome, error))

    def settle(self, outcome: str, error: PrimeurError | None = None) -> UsageEvent:
        """Give back what was held beyond what was used, and make the usage event; whoever calls it journals it."""
        event = self._event(outcome, error)
        settle(self.house, self.ask, self.admission, event.usage, event.cost_nanos)
        if self.seat is not None:
            event = self._leave(self.seat, event)
        return event

    def _leave(self, seat: Placement, event: UsageEvent) -> UsageEvent:
        """Give the place back, learning from a whole answer, and write down who did not serve and why."""
        whole = event.usage.output_tokens if event.outcome == "completed" else None
        seat.leave(self.house.clock.monotonic_us(), whole)
        told = seat.placed
        return msgspec.structs.replace(
            event, refusal=told.refusal, right_id=told.right_id, evidence=told.evidence or None
        )

    def _event(self, outcome: str, error: PrimeurError | None) -> UsageEvent:
        served, ask, caller = self.served, self.ask, self.caller
        usage = self.usage = self.usage or counted(ask, self.pieces)
        price, target = served.price, served.target
        keeps = caller.keeps_prompts
        return UsageEvent(
            id=ask.id,
            at_ms=ask.arrived_ms,
            route=str(ask.route),
            outcome=outcome,
            status=200,
            project_id=caller.project_id,
            key_id=caller.key_id,
            deployment=served.deployment,
            revision_id=target.revision_id,
            provider=target.provider,
            usage=usage,
            cost_nanos=self.cost_nanos,
            currency=price.currency if price else None,
            price_id=price.id if price else None,
            streamed=ask.streams,
            first_token_us=self.first_token_us,
            duration_us=self.house.clock.monotonic_us() - ask.arrived_us,
            overhead_us=self.admission.overhead_us,
            error_code=error.code if error else None,
            error_message=error.message if error else None,
            address=ask.address,
            prompt=kept_prompt(ask.body, caller.masks) if keeps else None,
            answer=kept_answer(self.kept, caller.masks) if keeps else None,
            images=self.images,
        )
