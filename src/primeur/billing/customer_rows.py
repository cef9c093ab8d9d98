"""Who invoices and who is invoiced, as the database keeps them."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from primeur.core.errors import Conflict, NotFound
from primeur.store.database import Tx
from primeur.store.schema import customers, issuers, projects


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who invoices.

    Attributes:
        code: what its numbers begin with.
        due_days: from the date of an invoice until it is due.
    """

    code: str
    name: str
    address: str
    tax_id: str
    due_days: int
    created_ms: int


@dataclass(frozen=True, slots=True)
class Customer:
    """Who is invoiced: an organisation, or one of its projects.

    Attributes:
        project_id: None: all projects of the organisation that have no customer of their own.
        language: of its papers, ``en`` or ``fr``.
    """

    id: str
    organisation_id: str
    project_id: str | None
    name: str
    address: str
    tax_id: str
    email: str
    currency: str
    language: str
    created_ms: int


def put_issuer(tx: Tx, issuer: Issuer) -> None:
    """Add an issuer, or change the one with its code."""
    values = asdict(issuer)
    if tx.execute(update(issuers).where(issuers.c.code == issuer.code).values(**values)).rowcount == 0:
        tx.execute(insert(issuers).values(**values))


def list_issuers(tx: Tx) -> list[Issuer]:
    """Give every issuer, oldest first."""
    return [Issuer(*row) for row in tx.execute(select(issuers).order_by(issuers.c.created_ms, issuers.c.code))]


def find_issuer(tx: Tx, code: str) -> Issuer:
    """Give one issuer; the oldest when *code* is empty.

    Raises:
        NotFound: there is none.
    """
    for issuer in list_issuers(tx):
        if code in {"", issuer.code}:
            return issuer
    named = f"there is no issuer {code!r}" if code else "nobody invoices yet"
    raise NotFound(f"{named}; say who does with `primeur invoices issuer CODE --name NAME`")


def add_customer(tx: Tx, customer: Customer) -> None:
    """Keep a new customer.

    Raises:
        Conflict: its name is taken, or the organisation or project is a customer already.
    """
    for other in list_customers(tx):
        if (other.organisation_id, other.project_id) == (customer.organisation_id, customer.project_id):
            raise Conflict(f"{other.name!r} is the customer of the same organisation or project already")
    try:
        with tx.begin_nested():
            tx.execute(insert(customers).values(**asdict(customer)))
    except IntegrityError:
        raise Conflict(f"there is a customer {customer.name!r} already") from None


def change_customer(tx: Tx, customer: Customer) -> None:
    """Replace what may change of a customer: where papers go and how they look."""
    kept = ("address", "tax_id", "email", "language")
    values = {name: getattr(customer, name) for name in kept}
    tx.execute(update(customers).where(customers.c.id == customer.id).values(**values))


def list_customers(tx: Tx) -> list[Customer]:
    """Give every customer, oldest first."""
    return [_customer(row) for row in tx.execute(select(customers).order_by(customers.c.created_ms, customers.c.id))]


def find_customer(tx: Tx, name_or_id: str) -> Customer:
    """Give one customer by its name or id.

    Raises:
        NotFound: there is none.
    """
    c = customers.c
    row = tx.execute(select(customers).where((c.id == name_or_id) | (c.name == name_or_id))).first()
    if row is None:
        raise NotFound(f"there is no customer {name_or_id!r}; `primeur customers list` shows those there are")
    return _customer(row)


def payers(tx: Tx) -> dict[str, str]:
    """Give who pays for each project, by its id; a project without a customer is not among them.

    A project's own customer comes before that of its organisation.
    """
    by_organisation: dict[str, str] = {}
    by_project: dict[str, str] = {}
    for one in list_customers(tx):
        if one.project_id is None:
            by_organisation[one.organisation_id] = one.id
        else:
            by_project[one.project_id] = one.id
    found: dict[str, str] = {}
    for project_id, organisation_id in tx.execute(select(projects.c.id, projects.c.organisation_id)):
        payer = by_project.get(project_id) or by_organisation.get(organisation_id)
        if payer is not None:
            found[project_id] = payer
    return found


def _customer(row: Row[Any]) -> Customer:
    return Customer(**row._mapping)  # noqa: SLF001
