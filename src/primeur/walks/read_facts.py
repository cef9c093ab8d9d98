"""Read the rows that a snapshot is made from, all of the same moment."""

from dataclasses import dataclass

from primeur.core.price import Price
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
from primeur.registry.memory import Seen
from primeur.registry.memory_rows import list_seen
from primeur.registry.roll_out_rows import RollOut, newest_roll_outs
from primeur.registry.rows import Provider, list_models, list_providers, list_versions
from primeur.registry.scaling_rows import ScalingDecision, decisions_in_force
from primeur.registry.terms_rows import list_terms
from primeur.store.database import Tx, last_sequence
from primeur.trust.rows import list_guards
from primeur.trust.rules import GuardPolicy
from primeur.walks.compile_callers import People, read_people
from primeur.walks.compile_gates import Gates, compile_gates
from primeur.walks.compile_placing import Supply, read_supply
from primeur.walks.compile_plans import Held, read_plans
from primeur.walks.compile_prices import Negotiated, read_negotiated
from primeur.walks.compile_terms import TermsBook
from primeur.walks.house import House


@dataclass(frozen=True)
class Facts:
    """The rows, and the moment that they are of.

    Attributes:
        decisions: how many replicas shall run here, by revision.
        seen: memory that was measured, by version id.
    """

    now_ms: int
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
    negotiated: Negotiated
    guards: dict[str, GuardPolicy]
    decisions: dict[str, ScalingDecision]
    terms: TermsBook
    seen: dict[str, list[Seen]]


def read_facts(tx: Tx, house: House, now_ms: int) -> Facts:
    """Read every row a snapshot needs."""
    return Facts(
        now_ms=now_ms,
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
        negotiated=read_negotiated(tx, now_ms),
        guards=list_guards(tx),
        terms=TermsBook(list_terms(tx), list_models(tx), list_versions(tx)),
        decisions=decisions_in_force(tx, house.place.name),
        seen=list_seen(tx),
    )
