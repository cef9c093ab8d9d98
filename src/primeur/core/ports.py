"""Every socket that something outside is plugged into: clock, dice, relay, limiter, journal, engine, provider."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from primeur.core.caller import Gate
from primeur.core.chat import Dialect, Endpoint, Route
from primeur.core.errors import SliceSpent, TargetFailed
from primeur.core.usage import UsageEvent

Settings = Mapping[str, Any]


class Clock(Protocol):
    """The only way to know the time."""

    def now_ms(self) -> int:
        """UTC milliseconds since 1970."""
        ...

    def monotonic_us(self) -> int:
        """Microseconds that never go back, for durations."""
        ...


class Entropy(Protocol):
    """The only dice: n random bytes."""

    def __call__(self, n: int, /) -> bytes:
        """Give *n* random bytes."""
        ...


class Reply(Protocol):
    """A target's answer; its body is read by iterating, once."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[bytes, bytes]:
        """Lower-case names; the last of repeated ones."""
        ...

    async def begin(self) -> None:
        """Wait until the first piece of the body is there (or its end); the piece stays to be read.

        Raises:
            TargetFailed, TargetTimedOut: as in iterating.
        """
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Pieces of the body as they arrive.

        Raises:
            TargetFailed: the body ended early or broke HTTP.
            TargetTimedOut: silence for longer than the endpoint allows.
        """
        ...

    async def read(self, limit: int) -> bytes:
        """The whole body.

        Raises:
            TargetFailed: longer than *limit* bytes, or as in iterating.
        """
        ...

    def close(self) -> None:
        """Let go; a reply that was not read to its end has its connection cut, which cancels it upstream."""
        ...


class Sink(Protocol):
    """Whoever is told an answer piece by piece; called from the event loop, never again after end or fault.

    An answer is `on_whole`, or `on_head`, any number of `on_piece` and `on_end`; `on_fault` may come at any time. The
    line is gone at its end: whoever is told of it lets go of the line.
    """

    def on_whole(self, status: int, headers: dict[bytes, bytes], body: bytes) -> None:
        """A whole answer that came in one piece."""
        ...

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """The head is whole; header names in lower case."""
        ...

    def on_piece(self, piece: bytes) -> None:
        """A part of the body."""
        ...

    def on_end(self) -> None:
        """The body is whole."""
        ...

    def on_fault(self, fault: TargetFailed) -> None:
        """The answer will not become whole."""
        ...


class Line(Protocol):
    """An exchange that is under way; not to be touched after its end."""

    def pause(self) -> None:
        """Read no more until `resume`; the target is held back by TCP."""
        ...

    def resume(self) -> None:
        """Go on reading."""
        ...

    def close(self) -> None:
        """Cut it off: the answer is cancelled upstream."""
        ...


class Post(Protocol):
    """Where one path of one endpoint is asked, worked out once."""

    def start(self, request_id: str, body: bytes, sink: Sink) -> Line | None:
        """Post over a connection that is at rest, without waiting; None when none is.

        The answer is told to *sink*, never before this has returned.

        Args:
            request_id: told as ``x-request-id``, which lets a target's log be joined with ours.
            body: JSON.
        """
        ...


class Relay(Protocol):
    """HTTP out, over pooled connections."""

    def post(self, endpoint: Endpoint, path: str) -> Post:
        """Work out how *path* is posted to; asked again, it gives the same."""
        ...

    async def send(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> Reply:
        """Send one request and wait for the head of its answer.

        Args:
            path: with the query, appended to the endpoint's prefix.

        Raises:
            TargetFailed: no connection, or not HTTP.
            TargetTimedOut: connecting or waiting took too long.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an errand brought back; header names are in lower case."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


class Mailer(Protocol):
    """Mail out."""

    async def send(self, recipient: str, subject: str, body: str) -> None:
        """Hand one mail over to a server.

        Raises:
            TargetFailed: the server is out of reach, or refuses.
        """
        ...


class Errands(Protocol):
    """HTTP to addresses that somebody else chose: webhooks, identity providers, papers to be fetched."""

    async def run(  # noqa: PLR0913 (one for each part of a request and its bounds)
        self,
        method: str,
        url: str,
        body: bytes = b"",
        headers: Sequence[tuple[bytes, bytes]] = (),
        *,
        timeout_s: float = 10.0,
        limit_bytes: int = 1 << 20,
        redirects: int = 0,
    ) -> Fetched:
        """Send one request and read the whole answer, whatever its status.

        Args:
            headers: sent to the first host; after a redirect to another one, credentials stay behind.
            timeout_s: for everything together, redirects included.
            limit_bytes: most bytes of the answer's body.
            redirects: how many are followed, each judged anew; a GET only.

        Raises:
            BadRequest: the URL is none.
            EgressRefused: it leads where nobody may go; says which line of the allow-list would let it through.
            TargetFailed, TargetTimedOut: no answer, too long an answer, too many redirects.
        """
        ...


class Standing(msgspec.Struct, frozen=True, gc=False):
    """How full the tightest gate is, for ``x-ratelimit-*`` headers; None where no limit is set.

    Attributes:
        requests_reset_ms, tokens_reset_ms: milliseconds until the allowance is whole again.
    """

    requests_limit: int | None = None
    requests_left: int | None = None
    requests_reset_ms: int = 0
    tokens_limit: int | None = None
    tokens_left: int | None = None
    tokens_reset_ms: int = 0


class Hold(msgspec.Struct, frozen=True, gc=False):
    """What a request has reserved in every gate until its lane settles it, once.

    Attributes:
        at_ms: UTC milliseconds of the reservation; days and months are charged by it.
    """

    lane: "Lane"
    tokens: int
    cost_nanos: int
    at_ms: int


class Lane(Protocol):
    """The gates of one caller before one deployment, bound to their live counters; awaits nothing."""

    @property
    def counts_money(self) -> bool:
        """Whether a budget is among the gates: only then is the cost looked at."""
        ...

    def reserve(self, tokens: int, cost_nanos: int | None, now_ms: int) -> Hold:
        """Take one request, *tokens* and *cost_nanos* from every gate, all or nothing.

        Args:
            tokens, cost_nanos: the most that the request can come to; a cost of None is unknown.

        Raises:
            OverLimit: a gate is shut; says which limit and when to come back. OverBudget is one.
            SliceSpent: what this process may give away is used up and there may be more; `Limiter.fill` the lane.
        """
        ...

    def settle(self, hold: Hold, tokens: int, cost_nanos: int | None, now_ms: int) -> None:
        """Replace what was reserved by what was used, and end the request's concurrency."""
        ...

    def standing(self, now_ms: int) -> Standing:
        """Tell how full the tightest gate is."""
        ...


class Limiter(Protocol):
    """Live counters for rates, requests in flight and money."""

    def lane(self, gates: tuple[Gate, ...], currency: str | None) -> Lane:
        """Bind *gates* to their counters; a counter that is known goes on from where it stands.

        Args:
            currency: of the deployment's price; None when it has none.
        """
        ...

    @property
    def lost(self) -> str:
        """Why whoever keeps the counts cannot be reached; empty while they can be."""
        ...

    @property
    def shares_when_lost(self) -> bool:
        """Whether this process gives away its part of the limits while they are lost; else nothing."""
        ...

    def forget_idle(self) -> None:
        """Drop counters that stand as new ones would, when there are too many; call it between two snapshots."""
        ...

    async def fill(self, spent: SliceSpent) -> None:
        """Get more of what *spent* lacked, or learn that there is none; the next try will know.

        Raises:
            NotReady: whoever keeps the counters cannot be reached, and the settings say to fail closed.
        """
        ...


class Family(Protocol):
    """All processes of this house, where there are several."""

    async def metrics(self) -> bytes:
        """Everybody's metrics as one, in Prometheus' text format.

        Raises:
            OSError: the parent process does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class MasterKey:
    """What secrets are sealed with: an id of letters and digits, and 32 bytes."""

    id: str
    secret: bytes = field(repr=False)


class KeyService(Protocol):
    """Where master keys come from. Entry point group ``primeur.key_services``: called with what the setting says."""

    def current(self) -> MasterKey:
        """The key that seals from now on; made when there is none.

        Raises:
            SetupError: it cannot be had.
        """
        ...

    def find(self, key_id: str) -> MasterKey:
        """A key that something was sealed with.

        Raises:
            SetupError: there is none of this id.
        """
        ...

    def rotate(self) -> MasterKey:
        """Make a new key the current one; old ones can still be found.

        Raises:
            SetupError: it cannot be made.
        """
        ...


class Journal(Protocol):
    """Where usage events become durable before an answer is finished."""

    async def append(self, event: UsageEvent) -> None:
        """Return once *event* is on disk (one fsync for all that arrived within milliseconds).

        Raises:
            OSError: the disk refused.
        """
        ...

    def append_soon(self, event: UsageEvent, done: Callable[[OSError | None], None]) -> None:
        """As `append`, for callers that cannot wait: calls *done* once *event* is on disk, or with the fault."""
        ...


@dataclass(frozen=True, slots=True)
class EngineOrder:
    """What a revision asks of an engine.

    Attributes:
        revision_id: names the process, its log and its state file.
        model: name the engine answers to.
        weights: the GGUF file or safetensors folder; None for engines that need none.
        settings: from the revision, checked by `Engine.plan`.
        cores: processor cores this engine may plan with.
        log_path: where the process writes what it has to say.
        programs: full paths of the programs, beside our own, that the person at the machine lets settings name.
    """

    revision_id: str
    model: str
    weights: Path | None
    settings: Settings
    cores: int
    memory_bytes: int
    log_path: Path
    programs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start an engine as a child process with an OpenAI face on loopback.

    The process is given its port and secret by environment: ``PRIMEUR_ENGINE_PORT``, ``PRIMEUR_ENGINE_KEY`` (it must
    refuse requests without that bearer key) and ``PRIMEUR_ENGINE_OWNER`` (a file whose lock its owner holds; the
    process ends itself when nobody has held it for a minute).

    Attributes:
        argv: program and arguments; no shell.
        health_path: answers 200 when the engine is ready, 503 while it loads.
        routes: what the engine can be asked for with these settings.
        context_tokens: prompt and answer together, as planned; None when only the running engine knows.
        features: see `primeur.core.chat.Target`.
    """

    argv: tuple[str, ...]
    routes: frozenset[Route]
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: str = "/v1"
    health_path: str = "/health"
    context_tokens: int | None = None
    features: frozenset[str] = frozenset()


class Engine(Protocol):
    """A program that makes tokens or vectors from weights. Entry point group ``primeur.engines``."""

    @property
    def name(self) -> str:
        """As revisions name it."""
        ...

    @property
    def dialect(self) -> Dialect:
        """How its OpenAI face differs."""
        ...

    def plan(self, order: EngineOrder) -> Launch:
        """Check weights and settings and say how to start; starts nothing.

        Raises:
            SetupError: unknown setting (named), bad value, missing, truncated or foreign weights.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProviderOrder:
    """What a revision asks of a provider: its settings as declared, secrets already read from env: or file:."""

    settings: Settings
    deployment_settings: Settings
    upstream_model: str


@dataclass(frozen=True, slots=True)
class ProviderFace:
    """How to reach a provider's model."""

    endpoint: Endpoint
    dialect: Dialect
    routes: frozenset[Route]
    upstream_model: str
    context_tokens: int | None = None
    features: frozenset[str] = frozenset()


class Provider(Protocol):
    """A party that supplies capacity over HTTP. Entry point group ``primeur.providers``."""

    @property
    def name(self) -> str:
        """The ``kind`` in a provider's declaration."""
        ...

    @property
    def secret_settings(self) -> frozenset[str]:
        """Settings whose values must be ``env:NAME`` or ``file:PATH``."""
        ...

    def face(self, order: ProviderOrder) -> ProviderFace:
        """Say how to reach a model; opens nothing.

        Raises:
            SetupError: unknown or missing setting (named), URL that is not http(s).
        """
        ...


@dataclass(frozen=True, slots=True)
class EngineState:
    """How an engine process is doing, for people and for the snapshot.

    Attributes:
        phase: a state of `primeur.core.engine.ENGINE`: ``waiting``, ``starting``, ``loading``, ``ready``, ...
        detail: the reason in words (``loading weights 40 %``, ``restarts in 4 s: exit status -9``).
        endpoint: where it listens; None until it does.
        context_tokens: prompt and answer together, as the running engine says.
        memory_bytes: resident size at last look.
    """

    phase: str
    detail: str = ""
    endpoint: Endpoint | None = None
    context_tokens: int | None = None
    restarts: int = 0
    pid: int | None = None
    memory_bytes: int | None = None


class EngineHost(Protocol):
    """Keeps engine processes running: starts, probes, restarts with back-off, adopts after a restart of ours."""

    def want(self, launches: Mapping[str, tuple[EngineOrder, Launch]]) -> None:
        """Say which revisions should run, by id; drains and stops what is not named. Returns at once."""
        ...

    def state(self, revision_id: str) -> EngineState:
        """Tell how a revision's process is doing."""
        ...

    async def aclose(self, *, keep_running: bool = False) -> None:
        """Stop every process, or leave them to be adopted by the next start."""
        ...
