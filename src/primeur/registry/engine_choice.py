"""Which engine suits a version on a machine, by what was measured there; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

AUTO = "auto"
DEFAULT_ENGINE = "llamacpp"
# What runs weights of a form on any machine; another engine that can is named, or measured.
_BY_FORMAT = {"safetensors": "transformers"}
# So many at a time is what the choice looks at: a team, not a single person and not a crowd.
TYPICAL_STREAMS = 4
_LEAST_OF_BEST = 0.5


@dataclass(frozen=True, slots=True)
class Measured:
    """How fast one engine was.

    Attributes:
        tokens_per_s: output tokens a second of all streams together, by the number of streams.
        first_token_ms: median milliseconds to the first token, by the number of streams.
    """

    engine: str
    tokens_per_s: Mapping[int, float]
    first_token_ms: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine and the reason for it."""

    engine: str
    reason: str


def default_engine(form: str | None) -> str:
    """The engine that runs weights of this form when nobody says otherwise; None: there are none."""
    return _BY_FORMAT.get(form or "", DEFAULT_ENGINE)


def choose_engine(measured: Sequence[Measured], installed: frozenset[str], default: str = DEFAULT_ENGINE) -> Choice:
    """Give the engine with the most tokens a second over `TYPICAL_STREAMS` streams.

    Where nothing was measured it is *default*.

    One that is less than half as fast as the best for a single stream is left out: a person alone would feel it.
    """
    known = [one for one in measured if one.engine in installed and one.tokens_per_s]
    if not known:
        return Choice(default, "nothing was measured on this machine; `primeur bench engines MODEL` does")
    best_alone = max(_at(one.tokens_per_s, 1) for one in known)
    fair = [one for one in known if _at(one.tokens_per_s, 1) >= _LEAST_OF_BEST * best_alone]
    chosen = max(fair, key=lambda one: (_at(one.tokens_per_s, TYPICAL_STREAMS), one.engine == DEFAULT_ENGINE))
    told = ", ".join(f"{one.engine} {_at(one.tokens_per_s, TYPICAL_STREAMS):.0f}" for one in known)
    return Choice(chosen.engine, f"most tokens a second over {TYPICAL_STREAMS} streams here: {told}")


def _at(figures: Mapping[int, float], streams: int) -> float:
    """The figure that was measured closest to so many streams."""
    return figures[min(figures, key=lambda count: (abs(count - streams), count))]
