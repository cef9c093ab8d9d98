"""Join one deployment's rows with how its engines are doing: its targets, or the reason why it has none."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from primeur.core.chat import Deployment, Endpoint, Target, Wakes
from primeur.core.engine import FAILED, STOPPED
from primeur.core.errors import PrimeurError, SetupError
from primeur.core.ports import Engine, EngineState, Launch, ProviderOrder
from primeur.registry.deployment_rows import DeploymentRow, Revision, Weights
from primeur.registry.memory import Holding, Need
from primeur.registry.roll_out_rows import kept_warm
from primeur.registry.roll_outs import SHADOW, UNOPENED
from primeur.registry.rules import Standing, revisions_to_run
from primeur.registry.scaling import process_name
from primeur.trust.rules import GuardPolicy, compile_guard
from primeur.walks.fit_memory import expect, need_for, that_fit
from primeur.walks.house import House, Scaled
from primeur.walks.mirror import Mirror
from primeur.walks.plan_replicas import Planned, engine_order, processes, replicas_of
from primeur.walks.read_facts import Facts
from primeur.walks.seal_secrets import open_settings

READY = "ready"
ASLEEP, WAKING = "asleep", "waking"


@dataclass(frozen=True, slots=True)
class _Missing:
    """Why a revision has no target.

    Attributes:
        coming: its engine is on its way up and has not broken yet.
        wakes, phase: see `primeur.core.chat.Deployment`.
    """

    reason: str
    coming: bool = False
    wakes: Wakes | None = None
    phase: str = ""


def _reason(state: EngineState) -> str:
    """Say why an engine that shall run does not serve; at first the host has not heard of it."""
    return state.detail or ("about to start" if state.phase == STOPPED else state.phase)


@dataclass(slots=True)
class Wanted:
    """What all deployments together need; each adds to it. See `primeur.walks.house.Snapshot`."""

    launches: dict[str, Planned] = field(default_factory=dict)
    plans: dict[str, Planned] = field(default_factory=dict)
    holdings: dict[str, Holding] = field(default_factory=dict)
    scaled: list[Scaled] = field(default_factory=list)


class Joiner:
    """Joins one deployment's rows with engines and providers; adds what should run to *wanted*."""

    def __init__(self, house: House, facts: Facts, row: DeploymentRow, wanted: Wanted) -> None:
        """Look at nothing yet."""
        self.house, self.facts, self.row, self.wanted = house, facts, row, wanted
        self.revisions = {one.id: one for one in facts.revisions if one.deployment_id == row.id}
        self.roll_out = facts.roll_outs.get(row.id)
        self.warm = kept_warm(self.roll_out)

    def deployment(self) -> Deployment:
        """Give the deployment, compiled for the hot path."""
        targets: list[Target] = []
        missing: list[_Missing] = []
        shadow: Target | None = None
        hidden = self.hidden()
        standings = [Standing(one.id, one.number, one.share, one.id in self.warm) for one in self.revisions.values()]
        for chosen in revisions_to_run(standings, self.is_up):
            found = self.targets(self.revisions[chosen])
            if chosen == hidden:
                shadow = None if isinstance(found, _Missing) else found[0]
                continue
            if isinstance(found, _Missing):
                missing.append(found)
            else:
                targets += found
        newest = max(self.revisions.values(), key=lambda one: one.number, default=None)
        first = missing[0] if missing and not targets else _Missing("")
        return Deployment(
            name=self.row.name,
            model="" if newest is None else self.model(newest),
            created_ms=self.row.created_ms,
            targets=tuple(targets),
            price=self.facts.prices.get(self.row.name),
            gate=self.facts.gates.gate("deployment", self.row.name),
            embeddings_by=self.row.embeddings_by,
            pending=first.reason,
            coming=not targets and any(one.coming for one in missing),
            guard=compile_guard(self.facts.guards.get(self.row.id, GuardPolicy())),
            sticky=self.roll_out.policy.sticky if self.roll_out else "conversation",
            mirror=None if shadow is None else self.mirror(shadow),
            entry=self.facts.terms.entry(self.house, self.row, self.revisions.values()),
            wakes=first.wakes,
            phase=first.phase,
        )

    def mirror(self, shadow: Target) -> Mirror | None:
        """What copies requests to the revision on trial; None while none are."""
        if self.roll_out is None or self.roll_out.state != SHADOW:
            return None
        return Mirror(self.house, shadow, self.roll_out.policy.shadow, self.facts.prices.get(self.row.name))

    def said_context(self, revision: Revision) -> int | None:
        """What the registry says of a provider's model."""
        return self.facts.weights[revision.version_id].context_tokens if revision.version_id is not None else None

    def hidden(self) -> str | None:
        """The revision that runs and may not be asked yet."""
        return self.roll_out.revision_id if self.roll_out and self.roll_out.state in UNOPENED else None

    def is_up(self, revision_id: str) -> bool:
        """Whether a revision serves, or sleeps and would."""
        decision = self.facts.decisions.get(revision_id)
        if self.revisions[revision_id].engine is None or (decision is not None and decision.replicas == 0):
            return True
        most = decision.replicas if decision is not None else 1
        return any(self.state(revision_id, number).phase == READY for number in range(1, most + 1))

    def state(self, revision_id: str, replica: int) -> EngineState:
        """How a replica's process is doing."""
        return self.house.host.state(process_name(revision_id, replica))

    def model(self, revision: Revision) -> str:
        """The name of what a revision runs."""
        weights: Mapping[str, Weights] = self.facts.weights
        if revision.version_id is not None:
            return weights[revision.version_id].model
        return revision.upstream_model or self.row.name

    def targets(self, revision: Revision) -> list[Target] | _Missing:
        """Give the revision's targets, or the reason why it has none."""
        try:
            return self.engine(revision) if revision.engine is not None else [self.provider(revision)]
        except PrimeurError as error:
            return _Missing(f"failed: {error.message}")

    def engine(self, revision: Revision) -> list[Target] | _Missing:
        """Give a target for each replica that serves; what shall run is noted."""
        engine = self.house.engines.get(str(revision.engine))
        if engine is None:
            return _Missing(f"failed: there is no engine {revision.engine!r} here; install what brings it")
        # A revision never changes, so it is planned once.
        planned = self.house.board.now.plans.get(revision.id)
        if planned is None:
            path = None if revision.version_id is None else self.facts.weights[revision.version_id].path
            order = engine_order(self.house, revision, self.model(revision), path)
            planned = (order, engine.plan(order))
        self.wanted.plans[revision.id] = planned
        need = need_for(revision, planned, self.facts.seen)
        self.wanted.holdings[revision.id] = expect(self.row.name, revision, planned, need)
        replicas = self.count(revision, planned[1], need)
        self.wanted.launches |= processes(planned, replicas)
        states = {number: self.state(revision.id, number) for number in range(1, replicas + 1)}
        found = [
            self.target(revision, engine, planned, number, state, state.endpoint)
            for number, state in states.items()
            if state.phase == READY and state.endpoint is not None
        ]
        return found or self.missing(revision, list(states.values()))

    def count(self, revision: Revision, launch: Launch, need: Need | None) -> int:
        """Give how many replicas shall run, and note that they are decided on."""
        decisions = self.facts.decisions
        decision = decisions.get(revision.id)
        known = [decisions[one] for one in self.revisions if one in decisions]
        before = max(known, key=lambda one: one.created_ms).replicas if known else 1
        replicas = replicas_of(revision, launch, decision, before, self.facts.now_ms)
        if decision is None and replicas > 1:
            replicas = that_fit(self.house, revision.id, need, replicas)
        if revision.scaling is not None and not launch.replicates:
            alone = revision.share > 0 and sum(one.share > 0 for one in self.revisions.values()) == 1
            scaled = Scaled(
                revision_id=revision.id,
                deployment_id=self.row.id,
                deployment=self.row.name,
                scaling=revision.scaling,
                replicas=replicas,
                decision=decision,
                slots=launch.slots,
                need=need,
                kept=revision.id in self.warm or not alone,
            )
            self.wanted.scaled.append(scaled)
        return replicas

    def missing(self, revision: Revision, states: list[EngineState]) -> _Missing:
        """Say why no replica serves."""
        scaling, decision = revision.scaling, self.facts.decisions.get(revision.id)
        if scaling is None or not scaling.may_sleep or decision is None:
            state = states[0]
            return _Missing(_reason(state), coming=state.restarts == 0)
        wakes = Wakes(revision.id, scaling.queue_most, scaling.queue_wait_s)
        if not states:
            return _Missing(f"{ASLEEP}: {decision.detail}", wakes=wakes, phase=ASLEEP)
        detail = _reason(states[0])
        if states[0].phase == FAILED:
            return _Missing(detail)
        return _Missing(f"{WAKING}: {detail}", wakes=wakes, phase=WAKING)

    def target(  # noqa: PLR0913, PLR0917 (a revision, its plan, and one replica of it)
        self,
        revision: Revision,
        engine: Engine,
        planned: Planned,
        replica: int,
        state: EngineState,
        endpoint: Endpoint,
    ) -> Target:
        """Give one replica as the hot path sees it."""
        order, launch = planned
        return Target(
            revision_id=revision.id,
            provider=engine.name,
            endpoint=endpoint,
            dialect=launch.dialect or engine.dialect,
            upstream_model=order.model,
            routes=launch.routes,
            share=revision.share,
            context_tokens=state.context_tokens or launch.context_tokens,
            features=launch.features,
            replica=replica,
            slots=launch.slots,
            ends_ms=self.facts.terms.ends_ms(revision),
        )

    def provider(self, revision: Revision) -> Target:
        """Give a provider's model.

        Raises:
            SetupError: its kind is not installed, or it refuses its settings.
        """
        row = self.facts.providers[str(revision.provider_id)]
        provider = self.house.providers.get(row.kind)
        if provider is None:
            raise SetupError(f"there is no provider kind {row.kind!r} here; install what brings it")
        settings = open_settings(self.house, row.id, row.settings, provider.secret_settings)
        face = provider.face(ProviderOrder(settings, revision.settings, str(revision.upstream_model)))
        return Target(
            revision_id=revision.id,
            provider=row.name,
            endpoint=face.endpoint,
            dialect=face.dialect,
            upstream_model=face.upstream_model,
            routes=face.routes,
            share=revision.share,
            context_tokens=face.context_tokens or self.said_context(revision),
            features=face.features,
            ends_ms=self.facts.terms.ends_ms(revision),
        )
