"""What a provider can still take."""

import pytest

from primeur.broker.headroom import Capacity, Headroom
from primeur.broker.lengths import Lengths
from primeur.core.errors import SetupError

SECOND = 1_000_000


def room(work_per_s=100.0, window_s=10.0, prior=50.0, caution=0.0):
    return Headroom(Capacity(work_per_s, window_s), Lengths(prior), caution)


def test_work_in_flight_fills_the_window_and_no_more():
    """1,000 work tokens fit into ten seconds at 100 a second: six requests of 100 + 50, and not a seventh."""
    holder = room()
    assert [holder.take(0, n, 100, 10 * SECOND) for n in range(7)] == [True] * 6 + [False]


def test_a_request_in_flight_is_reserved_once():
    """The same request twice takes room once."""
    holder = room()
    assert all(holder.take(0, "same", 100, 10 * SECOND) for _ in range(50))
    assert holder.take(0, "other", 700, 10 * SECOND)


def test_a_report_that_comes_twice_gives_room_back_once():
    """A duplicate or unknown report changes nothing."""
    holder = room()
    holder.take(0, "a", 400, 10 * SECOND)
    holder.take(0, "b", 400, 10 * SECOND)
    for request in ("a", "a", "nobody"):
        holder.settle(SECOND, request, 50)
    assert not holder.take(SECOND, "c", 560, 10 * SECOND)
    assert holder.take(SECOND, "d", 400, 10 * SECOND)


def test_unknown_lengths_cost_room_until_they_are_known():
    """With caution, room is kept for answers that may be longer than their mean."""
    assert room(caution=0.0).take(0, 1, 900, 10 * SECOND)
    assert not room(caution=2.0).take(0, 1, 900, 10 * SECOND)


def test_a_request_with_less_slack_has_less_room():
    """Who must be done in one second can only be behind one second's work."""
    holder = room()
    holder.take(0, 1, 100, 10 * SECOND)
    assert not holder.take(0, 2, 10, SECOND)
    assert holder.take(0, 3, 10, 10 * SECOND)


def test_a_closed_provider_takes_nothing_until_its_moment():
    """What a 429 said about coming back is kept to."""
    holder = room()
    holder.close(3 * SECOND, "THROTTLED")
    assert not holder.take(3 * SECOND - 1, 1, 10, 10 * SECOND)
    assert holder.evidence(0, 10, 10 * SECOND).retry_after_ms in {3000, 3001}
    assert holder.take(3 * SECOND, 1, 10, 10 * SECOND)


def test_a_request_without_an_answer_teaches_nothing():
    """Dropped work leaves flight and does not change the estimate."""
    holder = room()
    holder.take(0, 1, 100, 10 * SECOND)
    before = list(holder.lengths.expect(100))
    holder.drop(0, 1)
    assert holder.lengths.expect(100) == before
    assert holder.take(0, 2, 900, 10 * SECOND)


def test_lengths_are_learned_by_size_of_prompt():
    """Long prompts with short answers do not spoil short prompts with long ones."""
    lengths = Lengths(prior_tokens=100.0)
    for _ in range(2000):
        lengths.learn(4000, 10)
        lengths.learn(20, 500)
    assert lengths.expect(4000)[0] == pytest.approx(10, abs=1)
    assert lengths.expect(20)[0] == pytest.approx(500, abs=1)
    assert lengths.expect(20)[1] < 400


def test_a_capacity_of_nothing_is_refused():
    """Zero, negative and not-a-number are no capacity."""
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(SetupError, match="work_per_s"):
            Headroom(Capacity(wrong), Lengths())
