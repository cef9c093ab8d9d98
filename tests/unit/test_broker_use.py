"""What was used of commitments: nothing is counted twice, and nothing beyond what a commitment stands for."""

from hypothesis import given
from hypothesis import strategies as st

from primeur.broker.papers import Commitment, CommitmentState
from primeur.broker.terms import Terms
from primeur.broker.use import Drawn, Use, share_out, spans_of, tokens_of


def drawn(name, start, end, of=100, deployments=None, **more):
    one = Commitment(name, "q", "partner", Terms(1, 1, start, end - start), state=CommitmentState.ACTIVE)
    one = Commitment(**{field: getattr(one, field) for field in Commitment.__dataclass_fields__} | more)
    return Drawn(one, deployments, of)


def test_a_commitment_stands_for_its_units_for_its_term():
    """Two units of 1000 tokens a minute for half an hour."""
    one = Commitment("c", "q", "partner", Terms(2, 1, 0, 1_800_000))
    assert (tokens_of(one, 1000), tokens_of(one, 0)) == (60_000, None)


def test_what_ends_first_is_used_first():
    """The rest goes on to the next, and what is left over was bought on demand."""
    both = [drawn("late", 0, 20), drawn("soon", 0, 10)]
    assert spans_of(both, 15) == [(0, 10), (10, 15)]
    found = share_out(both, [((0, 10), {"chat": 130}), ((10, 15), {"chat": 200})])
    assert found == {"soon": Use(100, 100), "late": Use(100, 100)}
    assert found["soon"].is_all


def test_a_commitment_is_used_for_its_own_deployments_while_it_lasts():
    """Before its term, of others, and after it was superseded nothing is."""
    replaced = drawn("old", 10, 30, None, frozenset({"chat"}), state=CommitmentState.SUPERSEDED, ended_ms=20)
    assert spans_of([replaced], 40) == [(10, 20)]
    assert share_out([replaced], [((10, 20), {"chat": 7, "other": 9})]) == {"old": Use(7, None)}
    assert not Use(7, None).is_all
    never = drawn("never", 50, 60, state=CommitmentState.CANCELED, ended_ms=40)
    assert spans_of([never], 100) == []


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20), st.none() | st.integers(1, 50)), min_size=1, max_size=6),
    st.lists(st.integers(0, 60), min_size=12, max_size=12),
    st.integers(0, 40),
)
def test_no_token_is_counted_twice(shapes, counts, now):
    """The sum of all uses is at most what was served, and each is at most what it stands for."""
    all_of_them = [drawn(str(n), start, start + length, of) for n, (start, length, of) in enumerate(shapes)]
    served = [(span, {"chat": count}) for span, count in zip(spans_of(all_of_them, now), counts, strict=False)]
    found = share_out(all_of_them, served)
    total = sum(use.tokens for use in found.values())
    assert total <= sum(tokens["chat"] for _, tokens in served)
    assert all(use.of_tokens is None or use.tokens <= use.of_tokens for use in found.values())
    if any(of is None for *_, of in shapes):
        lives = [
            span
            for span, _ in served
            if any(one.of_tokens is None and one.span[0] <= span[0] and span[1] <= one.span[1] for one in all_of_them)
        ]
        assert total >= sum(tokens["chat"] for span, tokens in served if span in lives)
