"""The simulator's pure half: the leaking bucket, even spreading and made-up answers."""

from hypothesis import given
from hypothesis import strategies as st

from primeur.providers.sim_answers import embed, stopped, words
from primeur.providers.sim_behaviour import Behaviour, Bucket, strikes

SMALL = Behaviour(capacity_tokens_per_minute=600, burst_s=1)


def test_a_bucket_lets_in_below_its_brim_and_then_tells_the_wait():
    """Ten tokens leak a second; thirty in a bucket of ten are two seconds above the brim."""
    bucket = Bucket()
    assert bucket.admit(SMALL, 30, 0) == 0
    assert bucket.admit(SMALL, 1, 0) == 2000
    assert bucket.admit(SMALL, 1, 1_999_000) == 1
    assert bucket.admit(SMALL, 1, 2_000_001) == 0


def test_a_bucket_is_corrected_to_what_was_used():
    """An answer shorter than its estimate gives room back."""
    bucket = Bucket()
    bucket.admit(SMALL, 30, 0)
    bucket.correct(-25)
    assert bucket.utilisation(SMALL, 0) == 0.5


def test_without_capacity_there_is_no_brim():
    """No provisioned throughput means no throttling."""
    assert Bucket().admit(Behaviour(), 10**9, 0) == 0


@given(st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 10_000_000)), max_size=40))
def test_waiting_as_told_is_always_enough(steps):
    """Whoever comes back after the wait that it was told is let in."""
    bucket, now_us = Bucket(), 0
    for tokens, pause_us in steps:
        now_us += pause_us
        wait_ms = bucket.admit(SMALL, tokens, now_us)
        if wait_ms:
            now_us += wait_ms * 1000 + 1
            assert bucket.admit(SMALL, tokens, now_us) == 0


@given(st.integers(1, 400), st.floats(0, 1))
def test_strikes_are_spread_evenly(count, share):
    """Of any number of requests, the share is struck, to within one."""
    struck = sum(strikes(number, share) for number in range(1, count + 1))
    assert abs(struck - count * share) <= 1


@given(st.integers(0, 2**64 - 1), st.integers(0, 50), st.lists(st.text(max_size=3), max_size=3))
def test_no_stop_sequence_is_left_in_a_text(seed, count, stops):
    """The text ends before the first stop sequence."""
    kept, met = stopped(list(words(seed, count)), stops)
    text = "".join(kept)
    assert not any(stop in text for stop in stops if stop)
    assert met or text == "".join(words(seed, count))


@given(st.text(), st.integers(1, 256))
def test_vectors_have_length_one(text, dimensions):
    """Embeddings are unit vectors, the same for the same text."""
    vector = embed(text, dimensions)
    assert abs(sum(value * value for value in vector) - 1) < 1e-9
    assert vector == embed(text, dimensions)
