"""Close a request's account: one usage event, durable; the hold settled. Outlives a hang-up."""

import asyncio

import msgspec

from primeur.core.caller import Caller
from primeur.core.chat import Ask, Served
from primeur.core.errors import PrimeurError
from primeur.core.usage import Usage, UsageEvent
from primeur.governance.data_rules import kept_answer, kept_prompt
from primeur.metering.counting import counted
from primeur.metering.rules import charge
from primeur.walks.admit import Admission, settle
from primeur.walks.house import House


class Meter(msgspec.Struct, eq=False):
    """What one request has come to so far.

    Attributes:
        usage: as the target said; None while it has not.
        pieces: parts of the answer that were passed on.
        kept: the answer's text, collected only for projects that keep prompts.
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

    def first_piece(self) -> None:
        """Note when the answer began."""
        if self.first_token_us is None:
            self.first_token_us = self.house.clock.monotonic_us() - self.ask.arrived_us

    @property
    def cost_nanos(self) -> int | None:
        """What the caller owes so far; None is unknown."""
        return charge(self.usage or counted(self.ask, self.pieces), self.served.price)

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
        return event

    def _event(self, outcome: str, error: PrimeurError | None) -> UsageEvent:
        usage = self.usage or counted(self.ask, self.pieces)
        price = self.served.price
        keeps = self.caller.keeps_prompts
        return UsageEvent(
            id=self.ask.id,
            at_ms=self.ask.arrived_ms,
            route=str(self.ask.route),
            outcome=outcome,
            status=200,
            project_id=self.caller.project_id,
            key_id=self.caller.key_id,
            deployment=self.served.deployment,
            revision_id=self.served.target.revision_id,
            provider=self.served.target.provider,
            usage=usage,
            cost_nanos=charge(usage, price),
            currency=price.currency if price else None,
            price_id=price.id if price else None,
            streamed=self.ask.streams,
            first_token_us=self.first_token_us,
            duration_us=self.house.clock.monotonic_us() - self.ask.arrived_us,
            overhead_us=self.admission.overhead_us,
            error_code=error.code if error else None,
            error_message=error.message if error else None,
            address=self.ask.address,
            prompt=kept_prompt(self.ask.body, self.caller.masks) if keeps else None,
            answer=kept_answer(self.kept, self.caller.masks) if keeps else None,
        )
