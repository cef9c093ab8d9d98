"""All that can go wrong, as one tree of words; their status codes are in core/statuses.py.

PrimeurError
  SetupError            the person at the machine must change something: port, folder, config, database
  CallerError           the caller must change something
    BadRequest          malformed or impossible request; UnsupportedParameter, ContextTooLong, TooLarge
    NotAuthenticated    no key, or one we do not know
    NotPermitted        known, but not allowed
    NotFound            UnknownModel is one
    WrongMethod         the address does not take this HTTP method
    Conflict            the thing is in another state than the caller thinks
    VersionRetired      what would answer has ended; name another deployment
    OverLimit           a rate, concurrency or budget limit; come back later. OverBudget and OverReserved are two
  TargetFailed          an engine or provider did not answer properly; TargetTimedOut, TargetBusy, EgressRefused
  NotReady              the thing exists and is not up yet
  SliceSpent            never told to a caller: this process has used up its slice of a limit, and asks for more
"""

from typing import Any


class PrimeurError(Exception):
    """Says what, which thing, and what to do next, in one line.

    Attributes:
        retry_after_ms: milliseconds after which it is worth asking again; 0: nobody knows.
    """

    code = "error"
    retry_after_ms = 0

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        """Keep the words; *param* is the JSON path of the fault and *code* a stable machine-readable name."""
        super().__init__(message)
        self.message = message
        self.param = param
        if code is not None:
            self.code = code


class SetupError(PrimeurError):
    """The person at the machine must change something before the program can go on."""

    code = "setup_error"


class CallerError(PrimeurError):
    """The caller must change something; repeating the same request will fail again."""

    code = "invalid_request"


class BadRequest(CallerError):
    """The request is malformed or asks for something impossible."""

    code = "invalid_request"


class UnsupportedParameter(BadRequest):
    """A parameter that the chosen target cannot honour; refused by name instead of ignored."""

    code = "unsupported_parameter"


class ContextTooLong(BadRequest):
    """Prompt and answer do not fit the model's context."""

    code = "context_length_exceeded"


class TooLarge(BadRequest):
    """The body exceeds its limit."""

    code = "request_too_large"


class NotAuthenticated(CallerError):
    """No key was given, or one that is unknown, expired or revoked."""

    code = "invalid_api_key"


class NotPermitted(CallerError):
    """The key is good and this is not among its permissions."""

    code = "permission_denied"


class NotFound(CallerError):
    """The named thing does not exist, or not for this caller."""

    code = "not_found"


class UnknownModel(NotFound):
    """No deployment or alias has this name."""

    code = "model_not_found"


class WrongMethod(CallerError):
    """The address exists and does not take this method; *allowed* are those that it takes."""

    code = "method_not_allowed"

    def __init__(self, message: str, *, allowed: tuple[str, ...]) -> None:
        """*allowed*: HTTP methods."""
        super().__init__(message)
        self.allowed = allowed


class Conflict(CallerError):
    """The thing is in another state than the caller thinks."""

    code = "conflict"


class OverLimit(CallerError):
    """A limit is reached; *retry_after_ms* says when to come back."""

    code = "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after_ms: int, code: str | None = None) -> None:
        """*retry_after_ms*: milliseconds until the same request can be admitted."""
        super().__init__(message, code=code)
        self.retry_after_ms = retry_after_ms


class VersionRetired(CallerError):
    """The version that would answer has ended, and nothing follows it."""

    code = "version_retired"


class OverReserved(OverLimit):
    """The reserved throughput of a provisioned deployment is used up for now."""

    code = "provisioned_throughput_exceeded"

    def __init__(self, message: str, *, retry_after_ms: int) -> None:
        """As `OverLimit`."""
        super().__init__(message, retry_after_ms=retry_after_ms, code=self.code)


class OverBudget(OverLimit):
    """The money of a budget is spent or set aside for requests under way."""

    code = "insufficient_quota"


class HolderBusy(OverLimit):
    """The holder of a right cannot serve a request in time, and nobody else does; exclusive models never spill.

    Attributes:
        reason: a `primeur.broker.placement.Reason`.
        evidence: what was measured, in words.
    """

    code = "no_capacity"

    def __init__(self, message: str, *, retry_after_ms: int, reason: str, evidence: str, right_id: str) -> None:
        """As `OverLimit`."""
        super().__init__(message, retry_after_ms=retry_after_ms, code=self.code)
        self.reason, self.evidence, self.right_id = reason, evidence, right_id


class NeedsPlacing(PrimeurError):
    """A right or a guard concerns the deployment, so that the request may have to wait: the long way knows how."""


class TargetFailed(PrimeurError):
    """An engine or provider did not answer, or not in its own protocol."""

    code = "upstream_error"


class TargetStale(TargetFailed):
    """A connection that had rested was closed before a byte of the answer came; nobody has seen the request."""


class TargetTimedOut(TargetFailed):
    """A target kept silent for longer than its time-out."""

    code = "upstream_timeout"


class TargetBusy(TargetFailed):
    """A target asked us to come back later; *retry_after_ms* is its own figure."""

    code = "upstream_busy"

    def __init__(self, message: str, *, retry_after_ms: int) -> None:
        """*retry_after_ms*: milliseconds, as the target said or our default."""
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class EgressRefused(TargetFailed):
    """An address that may not be reached from here; says which line of the allow-list would let it through."""

    code = "egress_refused"


class NotReady(PrimeurError):
    """The thing exists and is not up yet."""

    code = "not_ready"

    def __init__(self, message: str, *, retry_after_ms: int = 0) -> None:
        """*retry_after_ms*: see `PrimeurError`."""
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class StillWaking(NotReady):
    """A deployment slept, and it took longer to wake than a request may wait."""

    code = "waking"


class SliceSpent(PrimeurError):
    """This process has used up its slice of a shared limit; *lane* and what it needs say what to ask for."""

    code = "slice_spent"

    def __init__(self, lane: Any, tokens: int, cost_nanos: int) -> None:
        """*lane*: a `primeur.core.ports.Lane`."""
        super().__init__("more of a shared limit has to be asked for")
        self.lane, self.tokens, self.cost_nanos = lane, tokens, cost_nanos
