"""Let no more people in than a customer's plan has seats for."""

from primeur.billing.customer_rows import Customer, list_customers, payers
from primeur.billing.plan_rows import list_plans, terms_of
from primeur.billing.rules.plans import Plan
from primeur.billing.rules.subscriptions import term_at
from primeur.core.errors import Conflict
from primeur.governance import member_rows
from primeur.store.database import Tx

_PERSON = "person"


def check_seats(tx: Tx, project_id: str, now_ms: int) -> None:
    """Refuse when more people are in the projects of a customer than its subscription has seats.

    Called behind what lets somebody in, in the same transaction, which the refusal undoes.

    Raises:
        Conflict: says how many seats there are, and how to book more.
    """
    payer = payers(tx).get(project_id)
    for customer in list_customers(tx):
        term = term_at(terms_of(tx, customer.id), now_ms) if customer.id == payer else None
        if term is not None:
            plan = next(one for one in list_plans(tx) if one.id == term.plan_id)
            check_people(tx, customer, plan, term.seats)


def check_people(tx: Tx, customer: Customer, plan: Plan, seats: int) -> None:
    """Refuse a plan with fewer seats than people are there.

    Raises:
        Conflict: as `check_seats`.
    """
    if plan.seats is None:
        return
    most, there = max(plan.seats, seats), len(people_of(tx, customer))
    if there > most:
        raise Conflict(
            f"the plan {plan.name!r} gives {customer.name!r} {most} seats and {there} people would need one; book more "
            f"with `primeur subscriptions change {customer.name!r} --seats {there}`, or remove somebody",
            code="no_seat",
        )


def people_of(tx: Tx, customer: Customer) -> set[str]:
    """Give who is in the projects that a customer pays for, by id: invited or active; service accounts need no seat."""
    mine = {project for project, payer in payers(tx).items() if payer == customer.id}
    here = {one.id: one for one in member_rows.list_members(tx) if one.kind == _PERSON and one.is_here}
    at_home = {one.id for one in here.values() if one.project_id in mine}
    return at_home | {
        member for member, project in member_rows.list_memberships(tx) if project in mine and member in here
    }
