"""Judge finished procurement against the right, from the commands alone: neither the book nor its rules are asked."""

from collections.abc import Sequence

from primeur.broker.commands import (
    Answer,
    AnswerOffer,
    CancelRequest,
    CloseOffer,
    Command,
    CommitThird,
    GiveBack,
    OpenRequest,
    ReceiveNotice,
    SendOffer,
)
from primeur.broker.rights import Right


def audit_procurement(told: Sequence[tuple[int, Command]], right: Right, holder_units: int) -> list[str]:
    """List every breach, one sentence each; empty is what it should be.

    Args:
        told: every command that took effect, with its time, oldest first.
        holder_units: the most that the holder has.
    """
    breaches: list[str] = []
    times = [at_ms for at_ms, _ in told]
    if times != sorted(times):
        breaches.append("the clock went back")
    keys = [command.key for _, command in told]
    if len(keys) != len(set(keys)):
        breaches.append("a command took effect twice")
    for request in {command.request for _, command in told if isinstance(command, OpenRequest)}:
        breaches.extend(f"{request}: {what}" for what in _of_request(told, request, right))
    if _most_held(told) > holder_units:
        breaches.append("the holder was committed beyond what it has")
    return breaches


def _of_request(told: Sequence[tuple[int, Command]], request: str, right: Right) -> list[str]:
    breaches = []
    wanted = next(c.ceiling.units for _, c in told if isinstance(c, OpenRequest) and c.request == request)
    offers = {c.offer: c for _, c in told if isinstance(c, SendOffer) and c.request == request}
    taken = sum(_accepted(told, offer) for offer in offers.values())
    cancelled = any(isinstance(c, CancelRequest) and c.request == request for _, c in told)
    thirds = [(at_ms, c) for at_ms, c in told if isinstance(c, CommitThird) and c.request == request]
    committed = taken + sum(c.terms.units for _, c in thirds)
    if committed > wanted or (committed < wanted and not cancelled):
        breaches.append(f"{wanted} units were wanted and {committed} committed")
    used: dict[str, int] = {}
    for at_ms, third in thirds:
        offer = offers.get((third.release or "").split("/released")[0])
        if offer is None:
            breaches.append(f"{third.provider} was committed without asking the holder")
            continue
        used[offer.offer] = used.get(offer.offer, 0) + third.terms.units
        freed_ms, freed = _let_go(told, offer, right)
        if not freed_ms <= at_ms < freed_ms + right.sale_window_ms or used[offer.offer] > freed:
            breaches.append(f"{third.provider} was committed outside what the holder let go")
        most = offer.terms.unit_price_nanos * (100 + right.tolerance_percent)
        if third.terms.unit_price_nanos * 100 > most or third.terms.term_ms > offer.terms.term_ms:
            breaches.append(f"{third.provider} got better terms than the holder was offered")
        if any(isinstance(c, GiveBack) and c.release == third.release and t <= at_ms for t, c in told):
            breaches.append(f"{third.provider} was committed on a release that was given back")
    return breaches


def _answer(told: Sequence[tuple[int, Command]], offer: SendOffer) -> tuple[int, AnswerOffer] | None:
    found = [(at_ms, c) for at_ms, c in told if isinstance(c, AnswerOffer) and c.offer == offer.offer]
    return found[0] if found else None


def _accepted(told: Sequence[tuple[int, Command]], offer: SendOffer) -> int:
    """Count the units of an offer that the holder took and that were signed."""
    signed = any(isinstance(c, CloseOffer) and c.offer == offer.offer and not c.failed for _, c in told)
    answer = _answer(told, offer)
    if not signed or answer is None or answer[1].answer is not Answer.ACCEPT:
        return 0
    return offer.terms.units if answer[1].units is None else answer[1].units


def _let_go(told: Sequence[tuple[int, Command]], offer: SendOffer, right: Right) -> tuple[int, int]:
    """Give when the holder let units of an offer go, by word or by silence, and how many."""
    answer = _answer(told, offer)
    if answer is not None:
        return answer[0], offer.terms.units - _accepted(told, offer)
    received = next(at_ms for at_ms, c in told if isinstance(c, ReceiveNotice) and c.offer == offer.offer)
    return received + right.response_ms, offer.terms.units


def _most_held(told: Sequence[tuple[int, Command]]) -> int:
    """Give the most units that the holder had to deliver at one time."""
    steps: list[tuple[int, int]] = []
    for _, offer in told:
        if isinstance(offer, SendOffer) and (units := _accepted(told, offer)):
            steps += [(offer.terms.start_ms, units), (offer.terms.start_ms + offer.terms.term_ms, -units)]
    held = most = 0
    for _, change in sorted(steps):
        held += change
        most = max(most, held)
    return most
