"""Who invoices, who is invoiced, and what they hold in credits."""

from typing import Literal

import msgspec

from primeur.billing import credit_rows, customer_rows
from primeur.billing.credit_rows import PROVIDER_HOLDER
from primeur.billing.rules.credits import Balance, Grant
from primeur.core.money import amount_of
from primeur.gateway.admin.page import Page, asked
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance.rules import visible_project
from primeur.store.database import Tx
from primeur.walks.add_customer import (
    CustomerChange,
    NewCustomer,
    NewIssuer,
    add_customer,
    change_customer,
    choose_customer,
    sees,
    set_issuer,
)
from primeur.walks.grant_credit import NewCredit, grant_credit


class IssuerView(msgspec.Struct, frozen=True, kw_only=True):
    """Who invoices; *code* is what its numbers begin with."""

    code: str
    name: str
    address: str
    tax_id: str
    due_days: int
    created_ms: int


class CustomerView(msgspec.Struct, frozen=True, kw_only=True):
    """Who is invoiced; *project_id* is null for a whole organisation."""

    id: str
    organisation_id: str
    project_id: str | None
    name: str
    address: str
    tax_id: str
    email: str
    currency: str
    language: Literal["en", "fr"]
    created_ms: int


class CreditView(msgspec.Struct, frozen=True, kw_only=True):
    """A grant and what became of it: granted = used + expired + left; amounts are decimals in text."""

    id: str
    holder: str
    holder_name: str
    name: str
    kind: str
    currency: str
    granted: str
    used: str
    expired: str
    left: str
    left_nanos: int
    priority: int
    from_ms: int
    expires_ms: int | None
    created_ms: int


class CreditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose credits: a customer, or ``provider:NAME``; all of them when not given."""

    holder: str = ""


def _issuer(issuer: customer_rows.Issuer) -> IssuerView:
    return IssuerView(**{name: getattr(issuer, name) for name in IssuerView.__struct_fields__})


def _customer(customer: customer_rows.Customer) -> CustomerView:
    return CustomerView(**{name: getattr(customer, name) for name in CustomerView.__struct_fields__})


def _credit(grant: Grant, balance: Balance, name: str) -> CreditView:
    same = ("id", "holder", "name", "kind", "currency", "priority", "from_ms", "expires_ms", "created_ms")
    return CreditView(
        **{field: getattr(grant, field) for field in same},
        holder_name=name,
        granted=amount_of(balance.granted),
        used=amount_of(balance.used),
        expired=amount_of(balance.expired),
        left=amount_of(balance.left),
        left_nanos=balance.left,
    )


async def list_issuers(visit: Visit) -> Answer:
    """``GET /api/v1/issuers``."""
    return json_answer(Page([_issuer(one) for one in await visit.house.store.read(customer_rows.list_issuers)]))


async def put_issuer(visit: Visit) -> Answer:
    """``PUT /api/v1/issuers/{issuer}``."""
    return json_answer(
        _issuer(await set_issuer(visit.house, visit.caller, visit.params["issuer"], visit.read(NewIssuer)))
    )


async def list_customers(visit: Visit) -> Answer:
    """``GET /api/v1/customers``."""
    found = await visit.house.store.read(customer_rows.list_customers)
    return json_answer(Page([_customer(one) for one in found if sees(visit.caller, one)]))


async def get_customer(visit: Visit) -> Answer:
    """``GET /api/v1/customers/{customer}``."""
    name = visit.params["customer"]
    return json_answer(_customer(await visit.house.store.read(lambda tx: choose_customer(tx, visit.caller, name))))


async def post_customer(visit: Visit) -> Answer:
    """``POST /api/v1/customers``."""
    return json_answer(_customer(await add_customer(visit.house, visit.caller, visit.read(NewCustomer))), 201)


async def patch_customer(visit: Visit) -> Answer:
    """``PATCH /api/v1/customers/{customer}``."""
    change = visit.read(CustomerChange)
    return json_answer(_customer(await change_customer(visit.house, visit.caller, visit.params["customer"], change)))


async def list_credits(visit: Visit) -> Answer:
    """``GET /api/v1/credits``."""
    holder = asked(visit, CreditQuery).holder
    return json_answer(await visit.house.store.read(lambda tx: _credits(tx, visit, holder)))


async def post_credit(visit: Visit) -> Answer:
    """``POST /api/v1/credits``."""
    grant = await grant_credit(visit.house, visit.caller, visit.read(NewCredit))
    names = await visit.house.store.read(_names)
    return json_answer(_credit(grant, Balance(grant.nanos), _name(grant.holder, names)), 201)


def _credits(tx: Tx, visit: Visit, holder: str) -> Page[CreditView]:
    if holder and not holder.startswith(PROVIDER_HOLDER):
        holder = choose_customer(tx, visit.caller, holder).id
    seen = {one.id for one in customer_rows.list_customers(tx) if sees(visit.caller, one)}
    every = visible_project(visit.caller) is None
    found = [one for one in credit_rows.list_grants(tx, holder or None) if every or one.holder in seen]
    names, balances = _names(tx), credit_rows.balances(tx, found)
    return Page([_credit(one, balances[one.id], _name(one.holder, names)) for one in found])


def _names(tx: Tx) -> dict[str, str]:
    return {one.id: one.name for one in customer_rows.list_customers(tx)}


def _name(holder: str, names: dict[str, str]) -> str:
    return names.get(holder, holder.removeprefix(PROVIDER_HOLDER))


_ONE = "/api/v1/customers/{customer}"
DOORS = (
    Door("GET", "/api/v1/issuers", list_issuers, "List who invoices", "billing:read", face="admin",
         gives=Page[IssuerView]),
    Door("PUT", "/api/v1/issuers/{issuer}", put_issuer, "Say who invoices", "billing:write", tells="IssuerSet",
         face="admin", takes=NewIssuer, gives=IssuerView),
    Door("GET", "/api/v1/customers", list_customers, "List customers", "billing:read", face="admin",
         gives=Page[CustomerView]),
    Door("POST", "/api/v1/customers", post_customer, "Add a customer", "billing:write", tells="CustomerAdded",
         face="admin", takes=NewCustomer, gives=CustomerView, status=201),
    Door("GET", _ONE, get_customer, "Show a customer", "billing:read", face="admin", gives=CustomerView),
    Door("PATCH", _ONE, patch_customer, "Change a customer", "billing:write", tells="CustomerChanged", face="admin",
         takes=CustomerChange, gives=CustomerView),
    Door("GET", "/api/v1/credits", list_credits, "List credits and what is left of them", "billing:read",
         face="admin", takes=CreditQuery, gives=Page[CreditView]),
    Door("POST", "/api/v1/credits", post_credit, "Grant a credit", "billing:write", tells="CreditGranted",
         face="admin", takes=NewCredit, gives=CreditView, status=201),
)  # fmt: skip
