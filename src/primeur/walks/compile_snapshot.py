"""Compile everything the hot path reads: rows of one transaction, joined with how the engines are doing."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from primeur.core.chat import Deployment, Price, Target
from primeur.core.errors import PrimeurError
from primeur.core.ports import EngineOrder, Launch, ProviderOrder
from primeur.governance.budget_rows import list_budgets, list_scope_limits
from primeur.governance.data_rows import list_policies
from primeur.governance.data_rules import DataPolicy
from primeur.metering.rows import prices_in_force
from primeur.registry.deployment_rows import (
    DeploymentRow,
    Revision,
    Weights,
    list_aliases,
    list_deployments,
    list_revisions,
    list_weights,
)
from primeur.registry.roll_out_rows import RollOut, kept_warm, newest_roll_outs
from primeur.registry.roll_outs import UNOPENED
from primeur.registry.rows import Provider, list_providers
from primeur.registry.rules import Standing, revisions_to_run
from primeur.store.database import Tx, last_sequence
from primeur.trust.rows import list_guards
from primeur.trust.rules import GuardPolicy, compile_guard
from primeur.walks.compile_callers import People, compile_callers, compile_sessions, read_people, with_masks
from primeur.walks.compile_gates import Gates, compile_gates
from primeur.walks.compile_placing import Supply, read_supply, with_placing
from primeur.walks.compile_plans import Held, entitle, read_plans
from primeur.walks.house import House, Snapshot
from primeur.walks.seal_secrets import open_settings

READY = "ready"


@dataclass(frozen=True)
class Facts:
    """The rows that a snapshot is made from, all of the same moment."""

    sequence: int
    people: People
    deployments: list[DeploymentRow]
    revisions: list[Revision]
    weights: dict[str, Weights]
    aliases: dict[str, str]
    providers: dict[str, Provider]
    policies: dict[str, DataPolicy]
    prices: dict[str, Price]
    supply: Supply
    gates: Gates
    roll_outs: dict[str, RollOut]
    plans: dict[str, Held]
    guards: dict[str, GuardPolicy]


async def compile_snapshot(house: House) -> Snapshot:
    """Give the snapshot of this moment; nothing that is wrong with one revision keeps the others from serving."""
    now_ms = house.clock.now_ms()
    facts = await house.store.read(lambda tx: read_facts(tx, house, now_ms))
    # Planning reads the heads of weights from disk, which must not stop the event loop.
    return await asyncio.to_thread(_compile, house, facts)


def read_facts(tx: Tx, house: House, now_ms: int) -> Facts:
    """Read every row a snapshot needs."""
    return Facts(
        sequence=last_sequence(tx),
        people=read_people(tx, now_ms),
        deployments=list_deployments(tx),
        revisions=list_revisions(tx),
        weights=list_weights(tx),
        aliases=list_aliases(tx),
        providers={one.id: one for one in list_providers(tx)},
        policies=list_policies(tx),
        prices=prices_in_force(tx, now_ms),
        supply=read_supply(tx, house, now_ms),
        gates=compile_gates(list_scope_limits(tx), list_budgets(tx)),
        roll_outs=newest_roll_outs(tx),
        plans=read_plans(tx, now_ms),
        guards=list_guards(tx),
    )


def engine_order(house: House, revision: Revision, model: str, path: str | None) -> EngineOrder:
    """Say what *revision* asks of its engine.

    Args:
        path: of the weights, below the data folder.
    """
    place = house.place
    return EngineOrder(
        revision_id=revision.id,
        model=model,
        weights=None if path is None else place.data_dir / path,
        settings=revision.settings,
        cores=place.cores,
        memory_bytes=place.memory_bytes,
        log_path=place.data_dir / "engines" / f"{revision.id}.log",
        programs=place.programs,
    )


def _compile(house: House, facts: Facts) -> Snapshot:
    names = {one.id: one.name for one in facts.deployments}
    aliases = {alias: names[target] for alias, target in facts.aliases.items()}
    launches: dict[str, tuple[EngineOrder, Launch]] = {}
    deployments: dict[str, Deployment] = {}
    for row in facts.deployments:
        joined = _Joiner(house, facts, row, launches).deployment()
        deployments[row.name] = with_placing(house, joined, facts.supply, facts.providers.values())
    deployments |= {alias: deployments[name] for alias, name in aliases.items()}
    callers = compile_callers(facts.people, house.place.pepper, aliases, facts.gates)
    sessions = compile_sessions(facts.people, facts.gates)
    return Snapshot(
        sequence=facts.sequence,
        callers=entitle(with_masks(callers, facts.policies), facts.plans, aliases),
        sessions=entitle(with_masks(sessions, facts.policies), facts.plans, aliases),
        deployments=deployments,
        launches=launches,
    )


@dataclass(frozen=True, slots=True)
class _Missing:
    """Why a revision has no target; *coming* when its engine is on its way up and has not broken yet."""

    reason: str
    coming: bool = False


class _Joiner:
    """Joins one deployment's rows with engines and providers; adds what should run to *launches*."""

    def __init__(
        self, house: House, facts: Facts, row: DeploymentRow, launches: dict[str, tuple[EngineOrder, Launch]]
    ) -> None:
        self.house, self.facts, self.row, self.launches = house, facts, row, launches
        self.revisions = {one.id: one for one in facts.revisions if one.deployment_id == row.id}
        self.roll_out = facts.roll_outs.get(row.id)

    def deployment(self) -> Deployment:
        targets: list[Target] = []
        missing: list[_Missing] = []
        warm, hidden = kept_warm(self.roll_out), self.hidden()
        standings = [Standing(one.id, one.number, one.share, one.id in warm) for one in self.revisions.values()]
        for chosen in revisions_to_run(standings, self.is_ready):
            found = self.target(self.revisions[chosen])
            if chosen == hidden:
                continue
            if isinstance(found, Target):
                targets.append(found)
            else:
                missing.append(found)
        newest = max(self.revisions.values(), key=lambda one: one.number, default=None)
        return Deployment(
            name=self.row.name,
            model="" if newest is None else self.model(newest),
            created_ms=self.row.created_ms,
            targets=tuple(targets),
            price=self.facts.prices.get(self.row.name),
            gate=self.facts.gates.gate("deployment", self.row.name),
            embeddings_by=self.row.embeddings_by,
            pending=missing[0].reason if missing and not targets else "",
            coming=not targets and any(one.coming for one in missing),
            guard=compile_guard(self.facts.guards.get(self.row.id, GuardPolicy())),
            sticky=self.roll_out.policy.sticky if self.roll_out else "conversation",
        )

    def hidden(self) -> str | None:
        """The revision that runs and may not be asked yet."""
        return self.roll_out.revision_id if self.roll_out and self.roll_out.state in UNOPENED else None

    def is_ready(self, revision_id: str) -> bool:
        if self.revisions[revision_id].engine is None:
            return True
        return self.house.host.state(revision_id).phase == READY

    def model(self, revision: Revision) -> str:
        weights: Mapping[str, Weights] = self.facts.weights
        if revision.version_id is not None:
            return weights[revision.version_id].model
        return revision.upstream_model or self.row.name

    def target(self, revision: Revision) -> Target | _Missing:
        """Give the revision's target, or the reason why it has none."""
        try:
            return self.engine(revision) if revision.engine is not None else self.provider(revision)
        except PrimeurError as error:
            return _Missing(f"failed: {error.message}")

    def engine(self, revision: Revision) -> Target | _Missing:
        engine = self.house.engines.get(str(revision.engine))
        if engine is None:
            return _Missing(f"failed: there is no engine {revision.engine!r} here; install what brings it")
        # A revision never changes, so it is planned once.
        planned = self.house.board.now.launches.get(revision.id)
        if planned is None:
            path = None if revision.version_id is None else self.facts.weights[revision.version_id].path
            order = engine_order(self.house, revision, self.model(revision), path)
            planned = (order, engine.plan(order))
        self.launches[revision.id] = planned
        order, launch = planned
        state = self.house.host.state(revision.id)
        if state.phase != READY or state.endpoint is None:
            return _Missing(state.detail or state.phase, coming=state.restarts == 0)
        return Target(
            revision_id=revision.id,
            provider=engine.name,
            endpoint=state.endpoint,
            dialect=engine.dialect,
            upstream_model=order.model,
            routes=launch.routes,
            share=revision.share,
            context_tokens=state.context_tokens or launch.context_tokens,
            features=launch.features,
        )

    def provider(self, revision: Revision) -> Target | _Missing:
        row = self.facts.providers[str(revision.provider_id)]
        provider = self.house.providers.get(row.kind)
        if provider is None:
            return _Missing(f"failed: there is no provider kind {row.kind!r} here; install what brings it")
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
            context_tokens=face.context_tokens,
            features=face.features,
        )
