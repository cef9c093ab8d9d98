"""What every walk is handed: the ports, plugged in once by app.py."""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from primeur.broker.book_rows import Kept
from primeur.broker.headroom import Headroom
from primeur.core.caller import Caller
from primeur.core.chat import Deployment, Route
from primeur.core.egress import Egress, Network
from primeur.core.errors import EgressRefused
from primeur.core.otlp_metrics import Tally
from primeur.core.ports import (
    Clock,
    Engine,
    EngineHost,
    EngineOrder,
    Entropy,
    Errands,
    Family,
    Fetched,
    Journal,
    KeyService,
    Launch,
    Limiter,
    Mailer,
    Provider,
    Relay,
    Reservation,
)
from primeur.core.scaling import Load, Scaling
from primeur.core.usage import UsageEvent
from primeur.governance.openid_rules import KnownIssuer
from primeur.governance.refusal_rules import Refusals
from primeur.registry.memory import Holding, Need
from primeur.registry.observation_rows import Fault
from primeur.registry.scaling_rows import ScalingDecision
from primeur.registry.shadow_rows import Shadowed
from primeur.registry.ways import Way, find_way
from primeur.store.blobs import Blobs
from primeur.store.database import Store
from primeur.store.master_keys import FileKeys

_FAULTS_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Scaled:
    """A revision whose replicas are counted here.

    Attributes:
        deployment: the name of its deployment.
        replicas: that shall run.
        decision: in force; None before the first.
        slots: see `primeur.core.ports.Launch`.
        need: memory of one replica; None: nothing is known.
        kept: it must not sleep.
    """

    revision_id: str
    deployment_id: str
    deployment: str
    scaling: Scaling
    replicas: int
    decision: ScalingDecision | None
    slots: int | None
    need: Need | None
    kept: bool


class Mirrors:
    """Copies of requests, in this process.

    Attributes:
        under_way: one task each.
        seen: answered ones; the worker keeps them.
        dropped: those that were drawn and not copied, because there was no room.
        resting_until_us: monotonic microseconds; a target has asked for so long a pause.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.under_way: set[asyncio.Task[None]] = set()
        self.seen: deque[Shadowed] = deque(maxlen=_FAULTS_MOST)
        self.dropped, self.resting_until_us = 0, 0

    def rest(self, until_us: int) -> None:
        """Copy nothing until then."""
        self.dropped += 1
        self.resting_until_us = max(self.resting_until_us, until_us)


@dataclass(frozen=True)
class Snapshot:
    """Everything the hot path reads, compiled from rows and engine states; replaced, never changed.

    Attributes:
        sequence: number of the newest event it has seen.
        callers: by keyed digest of the key's text (`primeur.governance.rules.digest_key`).
        deployments: by name, aliases included.
        launches: the engine processes that should run, by `primeur.registry.scaling.process_name`.
        plans: how each revision's engine is started, whether it should run or sleeps, by revision id.
        holdings: what a process of each of these will hold, by revision id.
        scaled: revisions whose number of replicas is decided on.
        ways: what has been worked out from `deployments` so far, by route and name; see `way`.
    """

    sequence: int = 0
    callers: Mapping[bytes, Caller] = field(default_factory=dict)
    sessions: Mapping[bytes, Caller] = field(default_factory=dict)
    deployments: Mapping[str, Deployment] = field(default_factory=dict)
    launches: Mapping[str, tuple[EngineOrder, Launch]] = field(default_factory=dict)
    plans: Mapping[str, tuple[EngineOrder, Launch]] = field(default_factory=dict)
    holdings: Mapping[str, Holding] = field(default_factory=dict)
    scaled: tuple[Scaled, ...] = ()
    ways: dict[tuple[Route, str], Way] = field(default_factory=dict, compare=False)

    def way(self, route: Route, name: str) -> Way:
        """Give who answers *name* on *route*, worked out when it is first asked for.

        Raises:
            UnknownModel: no such name.
        """
        found = self.ways.get((route, name))
        if found is None:
            # Only names that exist are kept, so there are as many as deployments and routes.
            found = self.ways[route, name] = find_way(self.deployments, route, name)
        return found


class Board:
    """Holds the snapshot in force; readers take `now` once per request.

    Attributes:
        stale: set by whoever knows that the snapshot must be compiled anew.
        looked_us: monotonic microseconds of the last look at the event log.
        serving: requests of people in flight; batch work waits while there are any.
        refusals: who was not let in during this minute.
        traced: usage events that wait to be sent to an OpenTelemetry collector; *measured* is what all came to.
        faults: targets that failed before their first byte, where another may have answered; the worker keeps them.
        books: of capacity, as this process saw them last; what was told since is read when one is needed.
        rooms: what each source can still take, by deployment and provider; outlives the snapshot.
        mirrors: requests that are being copied to revisions on trial, and what became of them.
        buckets: reserved throughput in use, by deployment id; outlives the snapshot.
        issuers: OpenID Connect providers by issuer, as they were seen last; see `primeur.walks.reach_issuer`.
        hashing: held while a password is hashed, which takes 64 MiB.
        used: when keys were used since that was last written down, UTC milliseconds by id.
        waiting: requests that wait here for a revision to wake, by its id.
        turned: set when there is a newer snapshot; each has its own.
        elsewhere: what other processes of this house have under way, by process and revision.
        made: output tokens of answers that were written down, by revision; whoever looks takes them.
        ended_ms: when the last of them ended, by revision.
        seen: when sessions were last used here, by id; *seen_now* those not written down yet.
    """

    def __init__(self) -> None:
        """Start with an empty house."""
        self.now = Snapshot()
        self.stale = asyncio.Event()
        self.lock = asyncio.Lock()
        self.looked_us = 0
        self.serving = 0
        self.refusals = Refusals()
        self.traced: deque[UsageEvent] = deque()
        self.measured = Tally()
        self.faults: deque[Fault] = deque(maxlen=_FAULTS_MOST)
        self.books: dict[str, Kept] = {}
        self.rooms: dict[tuple[str, str], Headroom] = {}
        self.mirrors = Mirrors()
        self.buckets: dict[str, Reservation] = {}
        self.issuers: dict[str, KnownIssuer] = {}
        self.hashing = asyncio.Lock()
        self.used: dict[str, int] = {}
        self.waiting: Counter[str] = Counter()
        self.turned = asyncio.Event()
        self.elsewhere: Mapping[str, Mapping[str, Load]] = {}
        self.made: Counter[str] = Counter()
        self.ended_ms: dict[str, int] = {}
        self.seen: dict[str, int] = {}
        self.seen_now: dict[str, int] = {}

    def turn(self, snapshot: Snapshot) -> None:
        """Put a newer snapshot into force, and tell those who wait for one."""
        self.now, turned, self.turned = snapshot, self.turned, asyncio.Event()
        turned.set()


@dataclass(frozen=True)
class Place:
    """Where this house stands.

    Attributes:
        data_dir: the folder of everything that is remembered.
        pepper: 32 secret bytes that key digests are made with; from ``data_dir/secret``.
        cores: processor cores to plan with.
        memory_bytes: memory to plan with.
        programs: see `primeur.core.ports.EngineOrder`.
        machine: processor and cores, in words: what was measured on one machine says little of another.
        key_service: where master keys come from; None: the file ``data_dir/master.keys``.
        egress: which addresses may be reached from here.
        audit_key_path: 32 secret bytes that checkpoints are signed with; None: ``data_dir/audit.key``.
        checkpoints_to: file or URL that signed checkpoints of the event log go to; empty: a file in *data_dir*.
        trusted_proxies: whose ``x-forwarded-for`` is believed.
        traces_to: OpenTelemetry collector (OTLP over HTTP); empty: none.
        public_url: where people and identity providers reach this house, without a slash at its end; empty: unsaid.
        name: of the data folder among those that share one database.
    """

    data_dir: Path
    pepper: bytes
    cores: int
    memory_bytes: int
    programs: frozenset[str] = frozenset()
    machine: str = "unknown"
    key_service: KeyService | None = None
    egress: Egress = Egress(own_machine=True)  # noqa: RUF009 (it never changes)
    audit_key_path: Path | None = None
    checkpoints_to: str = ""
    trusted_proxies: tuple[Network, ...] = ()
    traces_to: str = ""
    public_url: str = ""
    name: str = "here"


class _StayIn:
    """Stands where a house has nobody to send out."""

    async def run(self, method: str, url: str, *_: object, **__: object) -> Fetched:  # noqa: ARG002 (the port's)
        """Refuse."""
        raise EgressRefused(f"this house sends nothing out, and so not to {url!r}")


@dataclass(frozen=True)
class House:
    """The ports and the place."""

    clock: Clock
    entropy: Entropy
    store: Store
    journal: Journal
    relay: Relay
    limiter: Limiter
    host: EngineHost
    engines: Mapping[str, Engine]
    providers: Mapping[str, Provider]
    place: Place
    board: Board = field(default_factory=Board)
    family: Family | None = None
    errands: Errands = field(default_factory=_StayIn)
    post: Mailer | None = None

    @property
    def key_service(self) -> KeyService:
        """What seals secrets."""
        return self.place.key_service or FileKeys(self.place.data_dir / "master.keys", self.entropy)

    @property
    def blobs(self) -> Blobs:
        """The bytes of what callers asked us to keep."""
        return Blobs(self.place.data_dir / "store")
