"""How the simulated provider behaves: latency, capacity, outages and broken streams, settable at start and live."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Positive = Annotated[float, msgspec.Meta(gt=0)]

Outage = Literal["none", "unavailable", "reset", "hang", "refuse"]
OfferAnswer = Literal["accept", "decline", "counter", "waive", "silence"]
Fault = Literal["none", "bad_json", "cut", "wrong_length", "giant_event"]


class Behaviour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the simulator does; a change counts from the next request on.

    Attributes:
        first_token_ms: milliseconds from a whole request to the first token.
        tokens_per_s: pace of one answer; 0 is as fast as can be.
        output_tokens: length of an answer whose caller sets no maximum.
        capacity_tokens_per_minute: provisioned throughput; None is without end.
        burst_s: seconds of capacity that may be used at once before 429 is answered.
        outage: ``unavailable`` answers 503, ``reset`` cuts the connection, ``hang`` never answers, ``refuse`` closes
            the listening socket for *outage_s* seconds.
        fault: what breaks in an answer: ``bad_json``, ``cut`` (ends without its last event), ``wrong_length`` (promises
            more bytes than it sends), ``giant_event`` (one event of *giant_bytes*).
        fault_after_tokens: tokens of a stream that leave before its fault.
        share: part of the requests that outage and fault strike, evenly spread.
        blocked_words: a prompt that has one is refused by the content filter.
        offer: what it says to an offer of capacity whose notice comes to ``/sim/offers``.
        offer_units: the most units that it accepts of one offer; None is all. Fewer than offered is a part.
        offer_least_price_nanos: below this price an acceptance becomes a counter at this price; a counter names it.
        offer_after_s: seconds before it answers; more than the right's response period is too late.
    """

    first_token_ms: NotNegative = 0
    tokens_per_s: NotNegative = 0
    output_tokens: Annotated[int, msgspec.Meta(ge=1, le=131072)] = 32
    capacity_tokens_per_minute: Positive | None = None
    burst_s: Positive = 10
    outage: Outage = "none"
    outage_s: Positive | None = None
    fault: Fault = "none"
    fault_after_tokens: Annotated[int, msgspec.Meta(ge=0)] = 3
    giant_bytes: Annotated[int, msgspec.Meta(ge=1, le=1 << 28)] = 8 << 20
    share: Share = 1
    blocked_words: tuple[str, ...] = ()
    offer: OfferAnswer = "accept"
    offer_units: Annotated[int, msgspec.Meta(ge=1)] | None = None
    offer_least_price_nanos: Annotated[int, msgspec.Meta(ge=0)] = 0
    offer_after_s: Annotated[float, msgspec.Meta(ge=0, le=604800)] = 0

    def __post_init__(self) -> None:
        """Refuse a closed door that nobody could open again."""
        if self.outage == "refuse" and self.outage_s is None:
            message = "outage 'refuse' needs outage_s: nothing can reach a closed port to end it"
            raise ValueError(message)


class SimSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the simulator starts.

    Attributes:
        port: 0 picks a free one.
        key: asked for as ``api-key`` or bearer token; None lets everybody in.
        deployments: names it answers to; empty answers to every name.
        dimensions: length of an embedding whose caller asks for no other.
        offer_secret: the webhook's secret, ``whsec_...``, that notices must be signed with; None takes all.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    key: str | None = None
    deployments: tuple[str, ...] = ()
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 64
    offer_secret: str | None = None
    behaviour: Behaviour = Behaviour()


def strikes(count: int, share: float) -> bool:
    """Tell whether request number *count* (from 1) is among the *share* that is struck, evenly spread."""
    return math.floor(count * share) > math.floor((count - 1) * share)


@dataclass(slots=True)
class Bucket:
    """Provisioned throughput as a leaking bucket of tokens.

    A request is let in while the bucket is below its brim, whatever its size, and its estimate is poured in; when it
    ends, the estimate is corrected to what was used. Above the brim it is told when the level will be back.

    Source: Microsoft Learn, "Provisioned throughput: how utilization enforcement works".

    Attributes:
        level: tokens in the bucket at *at_us*.
    """

    level: float = 0.0
    at_us: int = 0

    def utilisation(self, behaviour: Behaviour, now_us: int) -> float:
        """Tell how full the bucket is; 1 is the brim, and it may be above."""
        per_us = (behaviour.capacity_tokens_per_minute or 0) / 60e6
        if per_us == 0:
            self.level, self.at_us = 0.0, now_us
            return 0.0
        self.level = max(0.0, self.level - per_us * max(0, now_us - self.at_us))
        self.at_us = now_us
        return self.level / (per_us * behaviour.burst_s * 1e6)

    def admit(self, behaviour: Behaviour, tokens: int, now_us: int) -> int:
        """Pour *tokens* in and give 0, or give the milliseconds until the level is back at the brim."""
        if behaviour.capacity_tokens_per_minute is None:
            return 0
        over = self.utilisation(behaviour, now_us) - 1
        if over >= 0:
            return max(1, math.ceil(over * behaviour.burst_s * 1000))
        self.level += tokens
        return 0

    def correct(self, tokens: int) -> None:
        """Add what a finished request used beyond its estimate; negative when it used less."""
        self.level = max(0.0, self.level + tokens)
