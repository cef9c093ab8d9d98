"""How the house is doing, and the whole of it declared at once."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec

from primeur.gateway.admin.deployments import DeploymentView, show_deployments
from primeur.gateway.admin.page import in_force
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.walks.apply import Applied, apply


class StatusView(msgspec.Struct, frozen=True, kw_only=True):
    """How the house is doing.

    Attributes:
        state: ``pending`` while a deployment is pending or waking, else ``ready``; who sleeps or has ended stays so.
        engines, providers: what is installed to deploy on.
    """

    version: str
    state: str
    deployments: list[DeploymentView]
    engines: list[str]
    providers: list[str]


class NewState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall be so: a ``primeur.toml`` as JSON.

    Attributes:
        dry_run: only tell the difference.
    """

    document: dict[str, Any]
    dry_run: bool = False


async def get_status(visit: Visit) -> Answer:
    """``GET /api/v1/status``."""
    deployments = await show_deployments(visit)
    return json_answer(
        StatusView(
            version=_version(),
            state="pending" if any(one.state in {"pending", "waking"} for one in deployments) else "ready",
            deployments=deployments,
            engines=sorted(visit.house.engines),
            providers=sorted(visit.house.providers),
        )
    )


def _version() -> str:
    try:
        return version("primeur")
    except PackageNotFoundError:
        return "source"


async def post_state(visit: Visit) -> Answer:
    """``POST /api/v1/apply``."""
    ask = visit.read(NewState)
    applied = await apply(visit.house, visit.caller, ask.document, dry_run=ask.dry_run)
    return await in_force(visit, applied)


DOORS = (
    Door("GET", "/api/v1/status", get_status, "Show how the house is doing", "deployments:read", face="admin",
         gives=StatusView),
    Door(
        "POST", "/api/v1/apply", post_state, "Make a declared state so", "deployments:write",
        tells="what each change tells", face="admin", takes=NewState, gives=Applied,
    ),
)  # fmt: skip
