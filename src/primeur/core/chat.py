"""One inference request on its way, and what stands at the other end: ask, endpoint, dialect, target, deployment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from primeur.core.caller import Caller, Gate
from primeur.core.egress import Reach
from primeur.core.entrance import Entrance, Mirroring
from primeur.core.errors import TargetFailed
from primeur.core.guards import Guard
from primeur.core.price import Price
from primeur.core.wire import AnyRequest

Json = dict[str, Any]


class Route(StrEnum):
    """What a target can be asked for."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"


# Made for each request: a Struct is made four times as fast as a frozen dataclass, and is no work for the collector.
class Ask(msgspec.Struct, frozen=True, gc=False):
    """One inference request in OpenAI's wire form, whatever dialect it came in.

    Attributes:
        id: the request's id, ``req_...``.
        body: the JSON as it came (or as a dialect wrote it), UTF-8.
        fields: the same, decoded and checked.
        arrived_ms: UTC milliseconds.
        arrived_us: monotonic microseconds, for durations.
        address: the caller's IP address.
        low_priority: batch work, which waits while people are being served.
        affinity: requests that share it (a conversation) prefer the same revision.
        sharing: who may serve where a right concerns the deployment: ``dedicated``, ``shared``, or ``spill`` (empty).
    """

    id: str
    route: Route
    body: bytes
    fields: AnyRequest
    arrived_ms: int
    arrived_us: int
    address: str = ""
    low_priority: bool = False
    affinity: str | None = None
    sharing: str = ""

    @property
    def model(self) -> str:
        """The deployment or alias that the caller named."""
        return self.fields.model

    @property
    def streams(self) -> bool:
        """Whether the caller wants server-sent events."""
        return bool(getattr(self.fields, "stream", None))

    @property
    def wants_usage(self) -> bool:
        """Whether a stream must end with a usage chunk."""
        options = getattr(self.fields, "stream_options", None)
        return bool(options and options.include_usage)


class Translation(Protocol):
    """One request's way through a dialect that is more than a table.

    The walk sends `body`; hands every JSON object of the answer (the whole answer, or each stream chunk) to `piece`;
    and calls `finish` when the target is done, before usage and ``[DONE]`` leave.
    """

    @property
    def body(self) -> bytes:
        """What the target is sent, UTF-8 JSON."""
        ...

    def piece(self, data: Json) -> list[Json]:
        """Turn one object of the target into the objects the caller gets: none, one or several.

        Raises:
            TargetFailed: the target broke its promise (free text in place of a schema, for instance).
        """
        ...

    def finish(self) -> list[Json]:
        """Give what is still owed at the end of a stream.

        Raises:
            TargetFailed: as in `piece`.
        """
        ...


@dataclass(frozen=True)
class Dialect:
    """How a target's OpenAI face differs from OpenAI's own.

    Attributes:
        paths: where each route lives; ``{model}`` is replaced by the upstream name.
        query: appended to each path, such as ``api-version=2024-10-21``.
        refuses: per route, parameter to the reason and what to do instead; the gateway answers 400 naming it.
        accepts: parameters beyond OpenAI's that the target honours; all others beyond OpenAI's are refused.
        renames: parameter to the name the target knows it by.
        reads_model: the body must carry the upstream's model name; False when the target ignores it.
        streams_usage: the target understands ``stream_options.include_usage``.
        one_answer_each: several prompts, or ``n`` answers, are sent one by one and merged (see `primeur.core.fan`),
            because the target counts the usage of the first one only.
        too_long: words in a target's error that mean: the prompt does not fit, whatever the status.
        translate: opens a `Translation` for an ask, or gives None when its bytes can pass as they are.
    """

    name: str
    paths: Mapping[Route, str]
    query: str = ""
    refuses: Mapping[Route, Mapping[str, str]] = field(default_factory=dict)
    accepts: frozenset[str] = frozenset()
    renames: Mapping[str, str] = field(default_factory=dict)
    reads_model: bool = True
    streams_usage: bool = True
    one_answer_each: bool = False
    too_long: tuple[str, ...] = ()
    translate: Callable[[Ask, "Target"], Translation | None] | None = None


OPENAI_PATHS: Mapping[Route, str] = {
    Route.CHAT: "/chat/completions",
    Route.COMPLETIONS: "/completions",
    Route.EMBEDDINGS: "/embeddings",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an OpenAI face listens.

    Attributes:
        prefix: path before a dialect's paths, such as ``/v1``; no slash at the end.
        headers: sent with every request, credentials included; lower-case names.
        max_connections: most connections open at once.
        connect_timeout_s: seconds to open a connection.
        silence_timeout_s: seconds without a byte before the target counts as lost.
        reach: who chose it; says which addresses it may have (`primeur.core.egress`).
    """

    scheme: str
    host: str
    port: int
    prefix: str = "/v1"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    max_connections: int = 512
    connect_timeout_s: float = 5.0
    silence_timeout_s: float = 300.0
    reach: Reach = "upstream"

    @property
    def where(self) -> str:
        """How errors name it: callers learn nothing of where engines of this machine listen."""
        return "the engine" if self.reach == "ours" else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Target:
    """One revision that can answer, as the hot path sees it.

    Attributes:
        provider: who serves: the engine's or the provider's name.
        upstream_model: the name the target knows its model by.
        share: parts of the deployment's traffic; 0 means only when the others fail.
        context_tokens: prompt and answer together; None when the target did not say.
        features: what the weights can do beyond the route, such as ``tools``, ``suffix``, ``vision``.
        replica: 1, 2, 3... of the same revision, each with the share of the whole revision.
        slots: requests worked on at once; None: nobody waits.
        ends_ms: when its version ends, UTC milliseconds; None: nobody said that it does.
    """

    revision_id: str
    provider: str
    endpoint: Endpoint
    dialect: Dialect
    upstream_model: str
    routes: frozenset[Route]
    share: int = 1
    context_tokens: int | None = None
    features: frozenset[str] = frozenset()
    replica: int = 1
    slots: int | None = None
    ends_ms: int | None = None


class Placed(msgspec.Struct, frozen=True, gc=False):
    """What became of a request that a right concerns.

    Attributes:
        sharing: what the caller got: ``dedicated`` or ``spill`` from the holder, ``shared`` from somebody else.
        refusal: the one reason why the holder does not serve; None exactly when it does.
        evidence: what was measured when it was passed over, in words.
    """

    right_id: str
    sharing: str
    refusal: str | None
    evidence: str = ""


class Served(msgspec.Struct, frozen=True, gc=False):
    """Who answered: told in response headers and in the log.

    Attributes:
        placed: None where no right concerns the deployment.
    """

    deployment: str
    target: Target
    price: Price | None = None
    placed: Placed | None = None


class Placement(Protocol):
    """One request on its way to whoever serves it; whoever begins it must `leave` it."""

    @property
    def placed(self) -> Placed:
        """What became of it so far."""
        ...

    def next(self, now_us: int) -> Target | int:
        """Give who is to be asked now, or how many milliseconds to wait before that is known."""
        ...

    def failed(self, fault: TargetFailed, now_us: int) -> None:
        """Whoever was asked did not answer."""
        ...

    def leave(self, now_us: int, output_tokens: int | None) -> None:
        """Give the place back; None: there was no whole answer."""
        ...


class Placing(Protocol):
    """Who may serve one deployment that a right concerns, and who is asked first."""

    def seat(self, ask: Ask, targets: Sequence[Target]) -> Placement:
        """Begin to place *ask* over those that can honour it."""
        ...


@dataclass(frozen=True, slots=True)
class Wakes:
    """How requests may wait for a revision that sleeps, or is waking.

    Attributes:
        most, wait_s: how many may wait in one gateway process, and for how long.
    """

    revision_id: str
    most: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class Deployment:
    """A name that clients call, compiled for the hot path.

    Attributes:
        embeddings_by: name of another deployment that answers embeddings for this one.
        pending: why there is no target yet (``loading weights 40 %``), shown to people; empty when ready.
        coming: there is no target yet and an engine is on its way up for the first time; nothing has failed.
        max_output_tokens: assumed answer length when a caller gives none.
        placing: None where no right concerns it.
        guard: what looks at prompts and answers; None where nothing does.
        gate: limits of the deployment itself, which everybody's requests pass; None when it has none.
        mirror: None where no requests are copied.
        entry: None where its terms say nothing to single requests.
        sticky: what stays with one revision while several have a share: ``conversation``, ``key`` or ``request``.
        wakes: requests may wait for its revision; None: they may not.
        phase: ``asleep`` or ``waking`` while its revision is; empty otherwise.
    """

    name: str
    model: str
    created_ms: int
    targets: tuple[Target, ...]
    price: Price | None = None
    embeddings_by: str | None = None
    pending: str = ""
    coming: bool = False
    max_output_tokens: int = 1024
    placing: Placing | None = None
    guard: Guard | None = None
    gate: Gate | None = None
    sticky: str = "conversation"
    wakes: Wakes | None = None
    phase: str = ""
    entry: Entrance | None = None
    mirror: Mirroring | None = None


def price_of(caller: Caller, deployment: Deployment) -> Price | None:
    """Give the price that *caller* pays: a negotiated one before the list price; None is *unknown*."""
    if not caller.prices:
        return deployment.price
    negotiated: Price | None = caller.prices.get(deployment.name)
    return deployment.price if negotiated is None else negotiated
