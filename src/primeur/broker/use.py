"""How much of each commitment was used: tokens that its provider served in its term, drawn from what ends first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from primeur.broker.papers import Commitment, CommitmentState

_MINUTE_MS = 60_000
_NEVER_BEGAN = frozenset({CommitmentState.PROPOSED})
_ENDED_EARLY = frozenset({CommitmentState.SUPERSEDED, CommitmentState.CANCELED})


@dataclass(frozen=True, slots=True)
class Use:
    """What was used of a commitment.

    Attributes:
        of_tokens: all that it stands for; None where the provider's sheet does not tell what a unit does.
    """

    tokens: int
    of_tokens: int | None

    @property
    def percent(self) -> int | None:
        """In whole percent, rounded down: 100 is used up."""
        return None if self.of_tokens is None else 100 * self.tokens // max(1, self.of_tokens)

    @property
    def is_all(self) -> bool:
        """Whether nothing is left."""
        return self.of_tokens is not None and self.tokens >= self.of_tokens


@dataclass(frozen=True, slots=True)
class Drawn:
    """A commitment that use is drawn from.

    Attributes:
        deployments: whose requests it is for; None is every one that its provider serves.
        of_tokens: see `Use`.
    """

    commitment: Commitment
    deployments: frozenset[str] | None
    of_tokens: int | None

    @property
    def span(self) -> tuple[int, int]:
        """When it may be drawn from: its term, or as much of it as there was before it was replaced or cancelled."""
        begin_ms = self.commitment.terms.start_ms
        return begin_ms, begin_ms if self.commitment.state in _NEVER_BEGAN else last_ms(self.commitment)


Span = tuple[int, int]


def last_ms(one: Commitment) -> int:
    """Give when a commitment ends, or when another took its place or it was cancelled; not before its beginning."""
    if one.state in _ENDED_EARLY and one.ended_ms is not None:
        return max(one.terms.start_ms, min(one.end_ms, one.ended_ms))
    return one.end_ms


def tokens_of(commitment: Commitment, unit_tokens_per_minute: int) -> int | None:
    """Give the tokens that a commitment stands for: its units for the whole of its term."""
    terms = commitment.terms
    return terms.units * unit_tokens_per_minute * terms.term_ms // _MINUTE_MS or None


def spans_of(drawn: Sequence[Drawn], now_ms: int) -> list[Span]:
    """Cut time so that within each span the same commitments may be drawn from; spans without any are left out."""
    moments = sorted({min(moment, now_ms) for one in drawn for moment in one.span})
    return [span for span in pairwise(moments) if any(_lives(one, span) for one in drawn)]


def share_out(drawn: Sequence[Drawn], served: Iterable[tuple[Span, Mapping[str, int]]]) -> dict[str, Use]:
    """Say what was used of each commitment of one provider, by its id.

    What a span's requests used is drawn from the commitment that ends first, as long as something is left of it, then
    from the next; what all of them do not cover was bought on demand.

    Args:
        served: spans as `spans_of` cuts them, in their order, each with tokens by deployment.
    """
    order = sorted(drawn, key=lambda one: (one.of_tokens is None, one.span[1], one.commitment.id))
    used = dict.fromkeys((one.commitment.id for one in drawn), 0)
    for span, tokens in served:
        live = [one for one in order if _lives(one, span)]
        for deployment, count in sorted(tokens.items()):
            rest = count
            for one in live:
                if one.deployments is None or deployment in one.deployments:
                    known = used[one.commitment.id]
                    taken = rest if one.of_tokens is None else min(rest, one.of_tokens - known)
                    used[one.commitment.id] = known + taken
                    rest -= taken
    return {one.commitment.id: Use(used[one.commitment.id], one.of_tokens) for one in drawn}


def _lives(one: Drawn, span: Span) -> bool:
    begin, end = one.span
    return begin <= span[0] and span[1] <= end
