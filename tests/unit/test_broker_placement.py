"""Who serves one request, and the one reason why it is not the holder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.broker.headroom import Capacity, Headroom
from primeur.broker.lengths import Lengths
from primeur.broker.placement import Candidate, Need, Outcome, Preference, Reason, Sharing, Shortlist
from primeur.core.errors import NotPermitted

SECOND = 1_000_000
SLACK = 10 * SECOND


def candidate(provider, work_per_s=100.0, **terms):
    return Candidate(provider, Headroom(Capacity(work_per_s), Lengths(50.0), 0.0), **terms)


ANYTHING, HOLDER = Need(), Preference("holder")


def place(need=ANYTHING, candidates=None, preference=HOLDER, *, now_us=0, tokens=100, slack=SLACK):
    candidates = candidates or (candidate("holder"), candidate("other"))
    return Shortlist(need, candidates, preference).place(now_us, "r", tokens, slack)


def test_the_holder_is_asked_first_even_when_it_is_dearer():
    """Preference comes before price, and being served by the holder needs no reason."""
    placed = place(candidates=(candidate("holder", price_nanos=9), candidate("other", price_nanos=1)))
    assert (placed.target.provider, placed.reason, placed.granted) == ("holder", None, Sharing.SPILL)


def test_no_headroom_spills_with_its_evidence():
    """What was in flight, what was needed and what the limit was are told."""
    placed = place(tokens=2000, candidates=(candidate("holder"), candidate("other", 1000.0)))
    assert (placed.target.provider, placed.reason) == ("other", Reason.NO_HEADROOM)
    assert placed.evidence.in_flight_work + placed.evidence.needed_work > placed.evidence.limit_work == 1000.0


def test_a_tight_request_spills_as_slo_breach():
    """The holder has room, but its answer would come too late for this one."""
    placed = place(slack=SECOND, candidates=(candidate("holder"), candidate("other", 1000.0)))
    assert placed.reason is Reason.SLO_BREACH


def test_a_short_retry_after_is_waited_for_and_a_long_one_is_not():
    """Waiting is right while retry-after is shorter than the slack; then the request goes on."""
    holder = candidate("holder")
    holder.headroom.close(2 * SECOND, "THROTTLED")
    waits = place(candidates=(holder, candidate("other")))
    assert (waits.outcome, waits.target, waits.reason) == (Outcome.WAIT, None, None)
    spills = place(candidates=(holder, candidate("other", 1000.0)), slack=2 * SECOND)
    assert (spills.target.provider, spills.reason) == ("other", Reason.THROTTLED)


def test_an_outage_spills_at_once():
    """There is nothing to wait for."""
    holder = candidate("holder")
    holder.headroom.close(2 * SECOND, "OUTAGE")
    assert place(candidates=(holder, candidate("other"))).reason is Reason.OUTAGE


def test_a_filtered_holder_is_unsupported():
    """Hard filters come first, for the holder too."""
    need = Need(modalities=frozenset({"image"}))
    other = candidate("other", modalities=frozenset({"text", "image"}))
    placed = place(need, (candidate("holder"), other))
    assert (placed.reason, placed.evidence.detail) == (Reason.UNSUPPORTED, "modality")


def test_an_ended_right_prefers_nobody():
    """Then the cheapest serves; if it is the holder, no reason is owed."""
    ended = Preference("holder", 0, 5)
    cheap_other = (candidate("holder", price_nanos=9), candidate("other", price_nanos=1))
    assert place(candidates=cheap_other, preference=ended, now_us=5).reason is Reason.RIGHT_INACTIVE
    cheap_holder = (candidate("holder", price_nanos=1), candidate("other", price_nanos=9))
    assert place(candidates=cheap_holder, preference=ended, now_us=5).reason is None


def test_an_exclusive_model_never_spills():
    """It waits while it can, and is refused with retry-after when it cannot; the right need not be in force."""
    need = Need(exclusive_to="holder")
    holder = candidate("holder")
    holder.headroom.take(0, "filler", 900, SLACK)
    waits = place(need, (holder, candidate("other")), Preference("nobody", 0, 0), tokens=300)
    assert waits.outcome is Outcome.WAIT
    refused = place(need, (holder, candidate("other")), Preference("holder"), tokens=3000)
    assert (refused.outcome, refused.target, refused.reason) == (Outcome.REFUSE, None, Reason.NO_HEADROOM)
    assert refused.retry_after_ms > 0


def test_shared_leaves_the_holder_out_and_dedicated_everyone_else():
    """The caller asks per request, and is told which it got."""
    assert place(Need(sharing=Sharing.SHARED)).target.provider == "other"
    dedicated = place(Need(sharing=Sharing.DEDICATED))
    assert (dedicated.target.provider, dedicated.granted) == ("holder", Sharing.DEDICATED)
    alone = place(Need(sharing=Sharing.SHARED), (candidate("holder"),))
    assert alone.target.provider == "holder"


def test_an_empty_list_says_which_filter_emptied_it():
    """Fail closed: nobody serves rather than somebody who may not."""
    need = Need(zones=frozenset({"eu"}), data_policy="no-training")
    candidates = (candidate("holder", zone="us"), candidate("other", zone="eu"))
    with pytest.raises(NotPermitted, match="zone took out holder; data policy took out other"):
        Shortlist(need, candidates, Preference("holder"))


def test_when_nobody_has_room_the_soonest_is_told():
    """A refusal says when the first of the candidates could take it."""
    placed = place(tokens=1500, candidates=(candidate("holder"), candidate("other", 120.0)))
    assert (placed.outcome, placed.reason) == (Outcome.REFUSE, Reason.NO_HEADROOM)
    assert 0 < placed.retry_after_ms <= 3_000


@st.composite
def worlds(draw):
    """Draw up to six candidates in any condition, and a need."""
    zones, modes = ("eu", "us"), ({"text"}, {"text", "image"})
    names = ["holder", "a", "b", "c", "d", "e"][: draw(st.integers(1, 6))]
    found = []
    for name in names:
        one = candidate(
            name,
            draw(st.sampled_from([1.0, 20.0, 500.0])),
            zone=draw(st.sampled_from(zones)),
            modalities=frozenset(draw(st.sampled_from(modes))),
            price_nanos=draw(st.integers(0, 3)),
        )
        if draw(st.booleans()):
            one.headroom.close(draw(st.integers(0, 20 * SECOND)), draw(st.sampled_from(["OUTAGE", "THROTTLED"])))
        found.append(one)
    need = Need(
        zones=draw(st.sampled_from([None, frozenset({"eu"})])),
        modalities=frozenset(draw(st.sampled_from(modes))),
        exclusive_to=draw(st.sampled_from([None, None, "holder"])),
        sharing=draw(st.sampled_from(list(Sharing))),
    )
    return tuple(found), need, Preference("holder", 0, draw(st.sampled_from([1 << 62, 5])))


@given(worlds(), st.integers(0, 20 * SECOND), st.integers(0, 3000), st.integers(0, 20 * SECOND))
def test_invariant_another_provider_means_exactly_one_reason_and_hard_filters_come_first(world, now_us, tokens, slack):
    """Provider other than the holder if and only if one reason with evidence; who serves passes every hard filter."""
    candidates, need, preference = world
    try:
        placed = Shortlist(need, candidates, preference).place(now_us, "r", tokens, slack)
    except NotPermitted:
        return
    if placed.outcome is Outcome.SERVE:
        assert (placed.target.provider != "holder") == (placed.reason is not None)
        assert (placed.reason is None) == (placed.evidence is None)
        assert need.zones is None or placed.target.zone in need.zones
        assert need.modalities <= placed.target.modalities
        assert need.exclusive_to in {None, placed.target.provider}
    else:
        assert placed.target is None
        assert placed.retry_after_ms > 0
        assert (placed.outcome is Outcome.REFUSE) == (placed.reason is not None)
    if need.sharing is Sharing.DEDICATED and placed.target is not None:
        assert placed.target.provider == "holder"
