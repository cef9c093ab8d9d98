"""What an answer used, and the event that tells it to the journal."""

from dataclasses import dataclass

import msgspec


class Usage(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Tokens of one answer; cached are part of input, reasoning part of output.

    Attributes:
        counted_by: ``target`` when the target's own usage block was read, ``gateway`` when we counted.
    """

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    counted_by: str = "target"

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens


class UsageEvent(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One request that was let in or refused, exactly once in the journal; a row of the table ``requests``.

    Attributes:
        id: the request's id (``req_...``), which makes the event idempotent.
        at_ms: UTC milliseconds when the request arrived.
        outcome: ``completed``, ``cancelled`` (the caller hung up), ``failed`` (the target) or ``refused`` (by us).
        status: HTTP status the caller saw.
        cost_nanos: nano-units of *currency*; None is *unknown*, never zero.
        first_token_us: microseconds from arrival to the first piece of the answer; None when there was none.
        duration_us: microseconds from arrival to the last byte.
        overhead_us: microseconds spent in the gateway before the target was called.
        refusal: the one reason why the holder of a right did not serve (`primeur.broker.placement.Reason`); None: it
            did, or no right concerned this request.
        right_id: the right that it concerned.
        evidence: what was measured when the holder was passed over, in words.
        images: pictures in the prompt.
    """

    id: str
    at_ms: int
    route: str
    outcome: str
    status: int
    project_id: str = ""
    key_id: str = ""
    deployment: str = ""
    revision_id: str = ""
    provider: str = ""
    usage: Usage = Usage()
    cost_nanos: int | None = None
    currency: str | None = None
    price_id: str | None = None
    streamed: bool = False
    first_token_us: int | None = None
    duration_us: int = 0
    overhead_us: int = 0
    error_code: str | None = None
    error_message: str | None = None
    address: str = ""
    prompt: str | None = None
    answer: str | None = None
    refusal: str | None = None
    right_id: str | None = None
    evidence: str | None = None
    images: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """What a counter asks the books: how much was used before it began to count.

    Attributes:
        scope: such as ``key:key_06f3``.
        kind: ``requests_day``, ``tokens_day`` or ``money``.
        from_ms: UTC milliseconds at which the period began.
    """

    scope: str
    kind: str
    currency: str
    from_ms: int
