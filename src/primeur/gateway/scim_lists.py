"""Lists of what SCIM keeps: what was asked for in a query or in a body, and the page that answers it.

Source: RFC 7644, sections 3.4.2 and 3.4.3.
"""

from collections.abc import Callable

import msgspec

from primeur.core.errors import BadRequest
from primeur.gateway.visit import Answer, Visit
from primeur.governance import scim_forms
from primeur.governance.scim_filters import Json, read_filter
from primeur.store.database import Tx

TYPE = b"application/scim+json"
COUNT_LIMIT = 500
_COUNT_DEFAULT = 100


class SearchRequest(msgspec.Struct, frozen=True, rename="camel"):
    """Body of ``POST .search``; ``sortBy`` and ``sortOrder`` have no effect, as the configuration says.

    Attributes:
        start_index: counts from 1; less counts as 1.
        count: less than none counts as none.
    """

    schemas: list[str] = []
    attributes: list[str] = []
    excluded_attributes: list[str] = []
    filter: str | None = None
    sort_by: str | None = None
    sort_order: str | None = None
    start_index: int = 1
    count: int = _COUNT_DEFAULT


def asked_of(visit: Visit) -> SearchRequest:
    """Read what a query asks for.

    Raises:
        BadRequest: a number is none.
    """
    query = visit.query
    return SearchRequest(
        attributes=query.get("attributes", "").split(","),
        excluded_attributes=query.get("excludedAttributes", "").split(","),
        filter=query.get("filter"),
        start_index=_number(visit, "startIndex", 1),
        count=_number(visit, "count", _COUNT_DEFAULT),
    )


async def listed(visit: Visit, read: Callable[[Tx, Visit], list[Json]], asked: SearchRequest) -> Answer:
    """Answer with a page of what *read* gives and *asked* fits.

    Raises:
        BadRequest: the filter is none.
    """
    fits = read_filter(asked.filter) if asked.filter else None
    found = await visit.house.store.read(lambda tx: read(tx, visit))
    if fits is not None:
        found = [one for one in found if fits(one)]
    page = scim_forms.page(found, asked.start_index, min(asked.count, COUNT_LIMIT))
    names = (",".join(asked.attributes), ",".join(asked.excluded_attributes))
    page["Resources"] = [scim_forms.chosen(one, *names) for one in page["Resources"]]
    return Answer(200, msgspec.json.encode(page), content_type=TYPE)


def _number(visit: Visit, name: str, default: int) -> int:
    """Read a whole number; what is below the least counts as the least (RFC 7644, 3.4.2.4).

    Raises:
        BadRequest: it is none.
    """
    text = visit.query.get(name, str(default))
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise BadRequest(f"{name} is a whole number", param=name, code="invalidValue")
    return max(0, int(text))
