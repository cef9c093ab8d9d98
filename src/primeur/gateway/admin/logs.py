"""What the engines of a deployment wrote into their logs."""

import re
from typing import Annotated

import msgspec

from primeur.core.errors import BadRequest
from primeur.gateway.admin.page import asked
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.walks.read_logs import LOGS_MOST, LogAsk, read_logs

_SINCE = re.compile(r"([0-9]{1,9}\.[0-9]{1,6}):([0-9]{1,18})")


class LogsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which logs, and how much of them.

    Attributes:
        revision: its number; those that are to run when not given, or the newest when none is.
        replica: all of them when not given.
        lines: at most, of each log.
        since: ``next`` of an answer before: only what came since then.
    """

    revision: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)] | None = None
    replica: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    lines: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    since: Annotated[str, msgspec.Meta(max_length=40 * LOGS_MOST)] = ""


class LogView(msgspec.Struct, frozen=True, kw_only=True):
    """A part of one replica's log, oldest line first; secrets are taken out.

    Attributes:
        more: there are lines that were not given: older ones or, with ``since``, later ones.
    """

    revision: int
    replica: int
    lines: list[str]
    more: bool


class LogsView(msgspec.Struct, frozen=True, kw_only=True):
    """The logs of a deployment's engines on one machine, the newest revision first.

    Attributes:
        place: name of the data folder whose engines are meant.
        next: give it as ``since`` to read what came since then.
    """

    deployment: str
    place: str
    data: list[LogView]
    next: str


async def get_logs(visit: Visit) -> Answer:
    """``GET /api/v1/deployments/{deployment}/logs``."""
    query = asked(visit, LogsQuery)
    since = None if not query.since else dict(_since(one) for one in query.since.split(","))
    ask = LogAsk(revision=query.revision, replica=query.replica, lines=query.lines, since=since)
    row, found = await read_logs(visit.house, visit.caller, visit.params["deployment"], ask)
    same = ("revision", "replica", "lines", "more")
    return json_answer(
        LogsView(
            deployment=row.name,
            place=visit.house.place.name,
            data=[LogView(**{name: getattr(one, name) for name in same}) for one in found],
            next=",".join(f"{one.name}:{one.until}" for one in found),
        )
    )


def _since(said: str) -> tuple[str, int]:
    read = _SINCE.fullmatch(said)
    if read is None:
        raise BadRequest(f"{said!r} was not given by an answer before; send its next as it is", param="since")
    return read[1], int(read[2])


DOORS = (
    Door("GET", "/api/v1/deployments/{deployment}/logs", get_logs, "Read what its engines wrote into their logs",
         "engine-logs:read", face="admin", takes=LogsQuery, gives=LogsView),
)  # fmt: skip
