"""Who a negotiated price is for: a customer, an organisation or a project, by name or id."""

from primeur.billing.customer_rows import list_customers
from primeur.core.caller import Caller
from primeur.core.errors import NotFound
from primeur.governance.rows import list_organisations, list_projects
from primeur.store.database import Tx
from primeur.walks.add_customer import sees


def name_payer(tx: Tx, caller: Caller, name: str) -> str:
    """Give the id of the project or organisation that pays: a customer's is the one that it was made of.

    Raises:
        NotFound: nobody of that name is for this caller to see.
    """
    for customer in list_customers(tx):
        if name in {customer.id, customer.name} and sees(caller, customer):
            return customer.project_id or customer.organisation_id
    for organisation in list_organisations(tx):
        if name in {organisation.id, organisation.name} and _sees(caller, organisation.id):
            return organisation.id
    for project in list_projects(tx):
        if name in {project.id, project.name} and _sees(caller, project.organisation_id):
            return project.id
    raise NotFound(f"there is no customer, organisation or project {name!r}; `primeur customers list` shows customers")


def payer_names(tx: Tx) -> dict[str, str]:
    """Give what people call whoever a negotiated price can be for, by id; the customer's name comes before others."""
    names = {one.id: one.name for one in list_projects(tx)} | {one.id: one.name for one in list_organisations(tx)}
    return names | {one.project_id or one.organisation_id: one.name for one in list_customers(tx)}


def _sees(caller: Caller, organisation_id: str) -> bool:
    return "house" in caller.permissions or caller.organisation_id == organisation_id
