"""Say who invoices and who is invoiced."""

import dataclasses
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from primeur.billing import customer_rows as rows
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, NotFound
from primeur.core.events import CustomerAdded, CustomerChanged, IssuerSet
from primeur.core.ids import make_id
from primeur.governance.rules import visible_project
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of, choose_organisation, choose_project
from primeur.walks.given import given
from primeur.walks.house import House

Text = Annotated[str, msgspec.Meta(max_length=1000)]
Short = Annotated[str, msgspec.Meta(max_length=64)]
Mail = Annotated[str, msgspec.Meta(max_length=320, pattern=r"^([^@\s]+@[^@\s]+)?$")]
# Any letters, as papers show them; a colon or slash would be read as something else in a command or a path.
Name = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f/:]+$")]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
Language = Literal["en", "fr"]


class NewIssuer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who invoices.

    Attributes:
        due_days: from the date of an invoice until it is due.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    address: Text = ""
    tax_id: Short = ""
    due_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 30


class NewCustomer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is invoiced.

    Attributes:
        project: this project only; the whole organisation when not given.
        organisation: another one than the caller's own; only whoever acts for the whole house names one.
        currency: of everything this customer pays; it never changes.
        language: of its papers.
    """

    name: Name
    currency: Currency = "EUR"
    project: str = ""
    organisation: Annotated[str, msgspec.Meta(max_length=200)] = ""
    address: Text = ""
    tax_id: Short = ""
    email: Mail = ""
    language: Language = "en"


class CustomerChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall be different; what is not given stays."""

    address: Text | UnsetType = UNSET
    tax_id: Short | UnsetType = UNSET
    email: Mail | UnsetType = UNSET
    language: Language | UnsetType = UNSET


async def set_issuer(house: House, caller: Caller, code: str, ask: NewIssuer) -> rows.Issuer:
    """Say who invoices under the code *code*.

    Raises:
        BadRequest: a code that cannot begin a number.
    """
    if not (code.isascii() and code.isalnum() and code == code.upper() and len(code) <= 12):
        raise BadRequest(f"{code!r} cannot begin a number; take up to 12 capital letters and digits", param="code")

    def work(tx: Tx) -> rows.Issuer:
        now_ms = house.clock.now_ms()
        issuer = rows.Issuer(code, ask.name, ask.address, ask.tax_id, ask.due_days, now_ms)
        rows.put_issuer(tx, issuer)
        tell(tx, IssuerSet(code), actor=actor_of(caller), at_ms=now_ms)
        return issuer

    return await house.store.transact(work)


async def add_customer(house: House, caller: Caller, ask: NewCustomer) -> rows.Customer:
    """Make an organisation, or one of its projects, a customer.

    Raises:
        BadRequest: a project and an organisation are named.
        Conflict: the name is taken, or whoever it is for is a customer already.
        NotFound: there is no such project or organisation.
    """

    def work(tx: Tx) -> rows.Customer:
        now_ms = house.clock.now_ms()
        if ask.project and ask.organisation:
            raise BadRequest("a customer is an organisation or a project, not both", param="organisation")
        project = choose_project(tx, caller, ask.project) if ask.project else None
        organisation = choose_organisation(tx, caller, ask.organisation or None)
        customer = rows.Customer(
            id=make_id("customer", now_ms, house.entropy),
            organisation_id=organisation.id if project is None else project.organisation_id,
            project_id=None if project is None else project.id,
            name=ask.name,
            address=ask.address,
            tax_id=ask.tax_id,
            email=ask.email,
            currency=ask.currency,
            language=ask.language,
            created_ms=now_ms,
        )
        rows.add_customer(tx, customer)
        tell(tx, CustomerAdded(customer.id, customer.name), actor=actor_of(caller), at_ms=now_ms)
        return customer

    return await house.store.transact(work)


async def change_customer(house: House, caller: Caller, name: str, change: CustomerChange) -> rows.Customer:
    """Change where a customer's papers go and how they look; papers that are final keep what they said.

    Raises:
        NotFound: there is no such customer for this caller.
    """

    def work(tx: Tx) -> rows.Customer:
        before = choose_customer(tx, caller, name)
        fields = {field: given(getattr(change, field), getattr(before, field)) for field in change.__struct_fields__}
        after = dataclasses.replace(before, **fields)
        rows.change_customer(tx, after)
        tell(tx, CustomerChanged(after.id), actor=actor_of(caller), at_ms=house.clock.now_ms())
        return after

    return await house.store.transact(work)


def choose_customer(tx: Tx, caller: Caller, name: str) -> rows.Customer:
    """Give the named customer.

    Raises:
        NotFound: there is none, or it is not for this caller to see.
    """
    found = rows.find_customer(tx, name)
    if not sees(caller, found):
        raise NotFound(f"there is no customer {name!r} for {caller.name!r}")
    return found


def sees(caller: Caller, customer: rows.Customer) -> bool:
    """Whether *caller* may see a customer's affairs: everything, or its own project's."""
    return visible_project(caller) in {None, customer.project_id}
