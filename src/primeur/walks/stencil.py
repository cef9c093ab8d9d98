"""What is the same in every letter to one target, worked out once per snapshot; for asks that pass as they are."""

from primeur.core.caller import Caller
from primeur.core.chat import Ask, Route, Served, Target, price_of
from primeur.core.fan import answers_of
from primeur.core.price import Price
from primeur.core.splice import with_model
from primeur.metering.moulds import EventMould
from primeur.registry.ways import Way
from primeur.walks.account import account_form
from primeur.walks.admit import body_for, path_for, with_stream_options, write_letter
from primeur.walks.house import House


class Stencil:
    """One target of a way.

    Attributes:
        served: who answers, as the account and the log tell it.
        account: see `primeur.walks.account.account_form`.
        post: where its letters go.
    """

    __slots__ = ("_moulds", "_plain", "_renamed", "_streams_usage", "_target", "account", "post", "served")

    def __init__(self, house: House, way: Way, route: Route, target: Target, price: Price | None) -> None:
        """Work it out."""
        self._target, dialect = target, target.dialect
        # Most dialects read OpenAI's bodies but for the model's name.
        self._plain = dialect.translate is None and not dialect.one_answer_each and not dialect.renames
        self._renamed = target.upstream_model if dialect.reads_model else None
        self._streams_usage = dialect.streams_usage
        self.served = Served(way.deployment.name, target, price)
        self.account = account_form(self.served)
        # As many as there are keys that were used since the last change of anything.
        self._moulds: dict[str, EventMould] = {}
        self.post = house.relay.post(target.endpoint, path_for(target, route))

    def body(self, ask: Ask, cap: int | None) -> bytes | None:
        """Write the body of *ask*; None when its answer cannot pass as it comes.

        Args:
            cap: see `primeur.walks.admit.Admission`.

        Raises:
            PrimeurError: the target's dialect refuses the ask.
        """
        if self._plain and cap is None:
            return self._plainly(ask)
        dialect = self._target.dialect
        if cap is not None:
            letter = write_letter(self._target, ask, cap)
            return None if letter.translation or letter.each else letter.body
        if dialect.translate is not None and dialect.translate(ask, self._target) is not None:
            return None
        if dialect.one_answer_each and answers_of(ask.fields) > 1:
            return None
        return body_for(self._target, ask)

    def mould(self, caller: Caller, ask: Ask) -> EventMould:
        """Give what events of whole answers to *caller* are cast in."""
        found = self._moulds.get(caller.key_id)
        if found is None:
            found = self._moulds[caller.key_id] = EventMould(caller, self.served, ask)
        return found

    def _plainly(self, ask: Ask) -> bytes:
        fields, body = ask.fields, ask.body
        if self._renamed is not None and self._renamed != fields.model:
            body = with_model(body, self._renamed, fields.model)
        if ask.streams and (not self._streams_usage or not ask.wants_usage):
            return with_stream_options(body, ask, reads_usage=self._streams_usage)
        return body


def stencil_for(house: House, way: Way, route: Route, target: Target, caller: Caller) -> Stencil:
    """Give the stencil of *target* at the caller's price, made when it is first asked for."""
    price = price_of(caller, way.deployment)
    # The list price is the same for everybody; each negotiated one has stencils of its own.
    at_price = "" if price is None or price is way.deployment.price else price.id
    found = way.stencils.get((target.revision_id, target.replica, at_price))
    if found is None:
        found = Stencil(house, way, route, target, price)
        way.stencils[target.revision_id, target.replica, at_price] = found
    assert isinstance(found, Stencil)  # noqa: S101
    return found
