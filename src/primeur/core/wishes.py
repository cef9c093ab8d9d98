"""What a caller asks of Primeur itself, beside the request: taken out of the body, for no target knows it."""

import msgspec

from primeur.core.errors import BadRequest
from primeur.core.splice import with_fields
from primeur.core.wire import AnyRequest, Wishes

SHARING = ("dedicated", "spill", "shared")
_MEMBER = frozenset({"primeur"})


def take_wishes(body: bytes, fields: AnyRequest, header: str = "") -> tuple[bytes, AnyRequest, str]:
    """Give the body and its fields without the wishes, and who may serve.

    Raises:
        BadRequest: header and body say two things.
    """
    if fields.primeur is None:
        return body, fields, header
    sharing = sharing_of(fields.primeur, header)
    return with_fields(body, {}, without=_MEMBER), msgspec.structs.replace(fields, primeur=None), sharing


def read_sharing(header: str) -> str:
    """Read who may serve from a header's value; empty is for it not to say.

    Raises:
        BadRequest: no such word.
    """
    said = header.strip().lower()
    if said and said not in SHARING:
        raise BadRequest(f"x-primeur-sharing is {header[:40]!r}; choose {', '.join(SHARING)}", param="sharing")
    return said


def sharing_of(wishes: Wishes | None, header: str = "") -> str:
    """Give who may serve, as the body or the header says it; empty is for neither to say.

    Raises:
        BadRequest: they say two things.
    """
    said = (wishes.sharing if wishes is not None else None) or ""
    if said and header and said != header:
        raise BadRequest(
            f"primeur.sharing is {said!r} and the header x-primeur-sharing {header!r}; say one", param="primeur.sharing"
        )
    return said or header
