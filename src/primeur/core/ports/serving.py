"""Sockets of what answers: engines and providers."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from primeur.core.chat import Dialect, Endpoint, Route
from primeur.core.scaling import ONE, Scaling

Settings = Mapping[str, Any]


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
        scaling: how many replicas there shall be, for engines that keep replicas themselves.
    """

    revision_id: str
    model: str
    weights: Path | None
    settings: Settings
    cores: int
    memory_bytes: int
    log_path: Path
    programs: frozenset[str] = frozenset()
    scaling: Scaling = ONE


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
        slots: requests worked on at once; more wait in line. None: nobody waits.
        replicates: one process keeps all replicas itself, elsewhere.
        dialect: how the face differs with these settings; None: as the engine's own says.
        memory_bytes: weights and attention cache of one process, computed from their heads and the settings: it holds
            no less once it is full. None: they lie elsewhere (on a GPU, a cluster), or cannot be computed.
    """

    argv: tuple[str, ...]
    routes: frozenset[Route]
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: str = "/v1"
    health_path: str = "/health"
    context_tokens: int | None = None
    features: frozenset[str] = frozenset()
    slots: int | None = None
    replicates: bool = False
    dialect: Dialect | None = None
    memory_bytes: int | None = None

    @property
    def digest(self) -> str:
        """Names what is started, by SHA-256: what was measured of one program and its arguments holds for no other."""
        return hashlib.sha256(msgspec.json.encode([self.argv, sorted(self.environment.items())])).hexdigest()


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
class EngineState:
    """How an engine process is doing, for people and for the snapshot.

    Attributes:
        phase: a state of `primeur.core.engine.ENGINE`: ``waiting``, ``starting``, ``loading``, ``ready``, ...
        detail: the reason in words (``loading weights 40 %``, ``restarts in 4 s: exit status -9``).
        endpoint: where it listens; None until it does.
        context_tokens: prompt and answer together, as the running engine says.
        memory_bytes: resident size at last look, with what the process started.
        shared_bytes: of these, pages of files, which other processes may hold too.
    """

    phase: str
    detail: str = ""
    endpoint: Endpoint | None = None
    context_tokens: int | None = None
    restarts: int = 0
    pid: int | None = None
    memory_bytes: int | None = None
    shared_bytes: int = 0


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
