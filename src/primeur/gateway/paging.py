"""Ids in paths and pages of lists, for every door of the archive."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from primeur.archive.rules import Page
from primeur.archive.wire import Listing
from primeur.core.errors import NotFound, UnsupportedParameter
from primeur.core.reading import is_id
from primeur.gateway.visit import Visit

T = TypeVar("T")


def id_in_path(visit: Visit, name: str) -> str:
    """Give the id that the path carries.

    Raises:
        NotFound: it has not the form of an id, so nothing can have it.
    """
    found = visit.params[name]
    if not is_id(found):
        raise NotFound(f"there is no {name.removesuffix('_id')} {found[:64]!r}", param=name)
    return found


def list_page(found: Sequence[T], page: Page, show: Callable[[T], Any], id_of: Callable[[T], str]) -> Listing:
    """Show one page; *found* may hold one thing more than the page, which says that there are more."""
    shown = found[: page.limit]
    return Listing(
        data=[show(thing) for thing in shown],
        first_id=id_of(shown[0]) if shown else None,
        last_id=id_of(shown[-1]) if shown else None,
        has_more=len(found) > page.limit,
    )


def refuse_query(visit: Visit, *names: str) -> None:
    """Refuse query parameters that would be ignored otherwise.

    Raises:
        UnsupportedParameter: names the first one that is there.
    """
    for name in visit.query:
        bare = name.removesuffix("[]")
        if bare in names:
            raise UnsupportedParameter(f"{bare!r} is not supported here; leave it out", param=bare)
