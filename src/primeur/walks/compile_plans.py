"""Give callers what their customer's plan opens and bounds; compiled once for each snapshot."""

from collections.abc import Mapping
from dataclasses import replace

from primeur.billing.customer_rows import payers
from primeur.billing.plan_rows import list_plans, list_subscriptions, list_terms
from primeur.billing.rules.plans import Plan, access_of
from primeur.billing.rules.subscriptions import term_at
from primeur.core.caller import Caller, Gate, Limits
from primeur.store.database import Tx

Held = tuple[str, Plan]
_OPERATOR = "operator"


def read_plans(tx: Tx, now_ms: int) -> dict[str, Held]:
    """Give, by project, the customer that pays for it and the plan that holds now; without a plan nothing is bound."""
    plans = {plan.id: plan for plan in list_plans(tx)}
    held: dict[str, Held] = {}
    for one in list_subscriptions(tx):
        term = term_at(list_terms(tx, one.id), now_ms)
        if term is not None:
            held[one.customer_id] = (one.customer_id, plans[term.plan_id])
    if not held:
        return {}
    return {project: held[payer] for project, payer in payers(tx).items() if payer in held}


def entitle(
    callers: Mapping[bytes, Caller], held: Mapping[str, Held], names: Mapping[str, str]
) -> Mapping[bytes, Caller]:
    """Give the callers with the plan's deployments and rate class; whoever operates the house is bound by no plan.

    Args:
        held: see `read_plans`.
        names: the deployment behind each alias.
    """
    if not held:
        return callers
    return {digest: _entitled(one, held.get(one.project_id), names) for digest, one in callers.items()}


def _entitled(caller: Caller, held: Held | None, names: Mapping[str, str]) -> Caller:
    if held is None or caller.key_id == _OPERATOR:
        return caller
    customer_id, plan = held
    opens, own = access_of(plan, names), caller.deployments
    allowed = own if opens is None else opens if own is None else opens & own
    rate_class = () if plan.limits == Limits() else (Gate(f"customer:{customer_id}", plan.limits),)
    return replace(caller, deployments=allowed, gates=(*caller.gates, *rate_class))
