"""Placing one request under a right: hard filters first, waiting within patience, the original fault."""

import pytest

from primeur.broker.headroom import Capacity, Headroom
from primeur.broker.lengths import Lengths
from primeur.broker.placement import Candidate, Need, Preference
from primeur.broker.rights import Right
from primeur.core.chat import OPENAI_PATHS, Ask, Dialect, Endpoint, Route, Target
from primeur.core.errors import HolderBusy, NotPermitted, TargetBusy, TargetFailed
from primeur.core.wire import ChatRequest
from primeur.walks.place_request import Placer

SECOND_US = 1_000_000
RIGHT = Right("rgt_1", 1, "us", "holder", 0, 1 << 50)
ENDPOINT, DIALECT = Endpoint("http", "127.0.0.1", 9000), Dialect("plain", OPENAI_PATHS)
FIELDS = ChatRequest(model="m", messages=[])


def target(provider):
    return Target(f"rev_{provider}", provider, ENDPOINT, DIALECT, "m", frozenset(Route))


def ask(sharing="", body=b"{}", name="req_1"):
    return Ask(name, Route.CHAT, body, FIELDS, 0, 0, sharing=sharing)


def placer(need=None, until_us=1 << 62, *, zones=("eu", "us"), tokens_per_s=1e9):
    candidates = {
        name: Candidate(name, Headroom(Capacity(tokens_per_s), Lengths(10.0), 0.0), zone=zone)
        for name, zone in zip(("holder", "other"), zones, strict=True)
    }
    return Placer(RIGHT, candidates, Preference("holder", 0, until_us), need or Need(), 10_000)


def seat(placing, request=None, providers=("holder", "other")):
    return placing.seat(request or ask(), [target(name) for name in providers])


def test_the_holder_serves_without_a_reason_and_learns():
    """A whole answer's length is learned from; the place is given back once."""
    placing = placer()
    one = seat(placing)
    assert one.next(0).provider == "holder"
    assert (one.placed.refusal, one.placed.sharing, one.placed.right_id) == (None, "spill", "rgt_1")
    one.leave(SECOND_US, 7)
    one.leave(SECOND_US, 7)
    assert seat(placing).next(SECOND_US).provider == "holder"


def test_a_short_wait_is_waited_and_a_long_one_is_not():
    """The holder's own figure decides: shorter than the slack, wait; longer, THROTTLED."""
    one = seat(placer())
    one.next(0)
    one.failed(TargetBusy("busy", retry_after_ms=500), 0)
    assert one.next(0) == 501
    assert one.next(501_000).provider == "holder"
    one.failed(TargetBusy("busy", retry_after_ms=60_000), SECOND_US)
    assert one.next(SECOND_US).provider == "other"
    assert one.placed.refusal == "THROTTLED"
    assert "retry_after_ms=60001" in one.placed.evidence


def test_after_a_spill_whose_target_fails_the_original_error_is_told():
    """Not the last one."""
    one = seat(placer())
    one.next(0)
    one.failed(TargetFailed("the holder broke"), 0)
    assert one.next(0).provider == "other"
    assert one.placed.refusal == "OUTAGE"
    one.failed(TargetFailed("the other broke"), 0)
    with pytest.raises(TargetFailed, match="the holder broke"):
        one.next(0)


def test_an_exclusive_model_waits_or_is_refused_and_never_spills():
    """429 with when to come back, the reason and its evidence."""
    exclusive = Need(exclusive_to="holder")
    one = seat(placer(exclusive))
    one.next(0)
    one.failed(TargetBusy("busy", retry_after_ms=60_000), 0)
    with pytest.raises(TargetBusy, match="busy"):
        one.next(0)
    full = seat(placer(exclusive, tokens_per_s=0.1))
    with pytest.raises(HolderBusy, match="come back in") as refused:
        full.next(0)
    assert (refused.value.reason, refused.value.right_id) == ("NO_HEADROOM", "rgt_1")
    assert "limit_work=1" in refused.value.evidence


def test_hard_filters_come_first_and_name_what_emptied_the_list():
    """A zone the holder is not in is a reason; one that nobody is in fails closed."""
    moved = seat(placer(Need(zones=frozenset({"us"}))))
    assert moved.next(0).provider == "other"
    assert (moved.placed.refusal, moved.placed.evidence) == ("UNSUPPORTED", "zone")
    with pytest.raises(NotPermitted, match="zone took out holder; zone took out other"):
        seat(placer(Need(zones=frozenset({"mars"}))))
    with pytest.raises(NotPermitted, match="modality took out holder"):
        seat(placer(), ask(body=b'{"image_url": 1}'))


def test_a_right_that_is_not_in_force_is_a_reason_too():
    """Suspended: whoever serves instead of the holder cites it."""
    placing = placer(until_us=0)
    assert seat(placing, providers=("other",)).next(0).provider == "other"
    one = seat(placing, ask("shared"))
    assert one.next(0).provider == "other"
    assert one.placed.refusal == "RIGHT_INACTIVE"
