"""Judge a finished replay against the contract, from what was recorded alone: no policy object is asked."""

from collections.abc import Iterator, Sequence

from primeur.broker.placement import Outcome, Placement, Reason, Sharing
from primeur.walks.replay_requests import BARRED, HOLDER, PROBE_US, Log, Scenario


def audit_replay(log: Log, scenario: Scenario, arrivals_us: Sequence[int]) -> list[str]:
    """List every breach of contract, one sentence each; empty is what it should be."""
    breaches = [f"request {request} was placed twice" for request in log.twice]
    for request, placement in enumerate(log.final):
        breaches.extend(f"request {request}: {what}" for what in _breaches(placement, request, scenario, arrivals_us))
    return breaches


def _breaches(
    placement: Placement | None, request: int, scenario: Scenario, arrivals_us: Sequence[int]
) -> Iterator[str]:
    if placement is None:
        yield "it was never answered"
        return
    provider = None if placement.target is None else placement.target.provider
    if (provider == HOLDER) != (placement.reason is None):
        yield f"served by {provider} with reason {placement.reason}"
    if provider == BARRED:
        yield "a hard filter was passed over"
    if (provider is None) != (placement.outcome is Outcome.REFUSE):
        yield f"{placement.outcome} by {provider}"
    dedicated = bool(scenario.dedicated_every) and request % scenario.dedicated_every == 0
    if dedicated and provider not in {None, HOLDER}:
        yield "dedicated work left the holder"
    if placement.outcome is Outcome.REFUSE and placement.retry_after_ms < 1:
        yield "a refusal without retry-after"
    if placement.granted is Sharing.SHARED and provider == HOLDER:
        yield "the caller was told the wrong sharing"
    if placement.reason is not None and not _supported(placement, scenario, arrivals_us[request]):
        yield f"the evidence does not support {placement.reason}: {placement.evidence}"


def _supported(placement: Placement, scenario: Scenario, arrived_us: int) -> bool:
    evidence, faults = placement.evidence, scenario.faults
    if evidence is None:
        return False
    reason, until_us = placement.reason, scenario.right_until_us
    latest_us = arrived_us + scenario.patience_us
    if reason in {Reason.NO_HEADROOM, Reason.SLO_BREACH}:
        return evidence.in_flight_work + evidence.needed_work >= evidence.limit_work
    if reason is Reason.THROTTLED:
        return faults.throttles and evidence.retry_after_ms >= evidence.slack_ms
    if reason is Reason.OUTAGE:
        return any(start <= latest_us and arrived_us <= end + PROBE_US for start, end in faults.outages_us)
    return reason is Reason.RIGHT_INACTIVE and until_us is not None and latest_us >= until_us
