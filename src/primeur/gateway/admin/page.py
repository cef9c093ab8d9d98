"""What the nouns share: a page of a list, a query read by its type, and an answer that is in force."""

from typing import Any, Generic, TypeVar

import msgspec

from primeur.core.caller import Limits
from primeur.core.choices import say_choices
from primeur.core.errors import BadRequest
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.walks.follow_changes import catch_up

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A list, or a part of it.

    Attributes:
        next: give it as ``before`` to read on; null when this is the end.
    """

    data: list[T]
    next: str | None = None


class LimitsView(msgspec.Struct, frozen=True):
    """Requests and tokens in any minute, requests in flight, requests and tokens of a UTC day; null is no limit."""

    rpm: int | None
    tpm: int | None
    concurrency: int | None
    rpd: int | None
    tpd: int | None


class Gone(msgspec.Struct, frozen=True):
    """What is no more."""

    id: str
    name: str


def show_limits(limits: Limits) -> LimitsView:
    """Write limits for the API."""
    return LimitsView(limits.rpm, limits.tpm, limits.concurrency, limits.rpd, limits.tpd)


def asked(visit: Visit, kind: type[T]) -> T:
    """Read the query string as *kind*, a Struct that forbids unknown fields.

    Raises:
        BadRequest: an unknown parameter or a wrong value; names it.
    """
    try:
        return msgspec.convert(dict(visit.query), kind, strict=False)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$.")
        if reason.startswith("Object contains unknown field `"):
            name = reason.split("`")[1]
            raise BadRequest(f"unknown parameter {name!r}", param=name, code="unknown_parameter") from None
        where = path.rstrip("`") or None
        reason = say_choices(reason, kind, f".{where}")
        raise BadRequest(f"{where}: {reason}" if where else reason, param=where) from None


async def in_force(visit: Visit, value: Any, status: int = 200) -> Answer:
    """Answer with *value* once what was written is in force in this process."""
    await catch_up(visit.house)
    return json_answer(value, status)
