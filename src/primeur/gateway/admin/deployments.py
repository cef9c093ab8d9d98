"""Deployments, their revisions and aliases."""

from typing import Any

import msgspec

from primeur.core.chat import Deployment, Target
from primeur.core.errors import NotFound
from primeur.core.ports import Launch
from primeur.core.scaling import Load, Scaling
from primeur.gateway.admin.page import Gone, Page, in_force
from primeur.gateway.admin.prices import PriceView, show_price
from primeur.gateway.admin.replicas import ReplicasView, replica_states, show_replicas
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.registry import deployment_rows, rows, terms_rows
from primeur.registry.terms import Terms
from primeur.store.database import Tx
from primeur.walks.check_deployments import real_deployment
from primeur.walks.deploy import NewRevision, deploy, remove_deployment
from primeur.walks.house import House
from primeur.walks.read_loads import NOTHING, ask_loads, queue_of, slots_of
from primeur.walks.set_alias import remove_alias, set_alias
from primeur.walks.set_terms import TermsChange, set_terms


class RevisionView(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment runs or ran; phase and what follows tell how its engine is doing, null for providers.

    Attributes:
        scaling: null where exactly one replica runs.
        replicas: null where none is wanted, because of its share.
        in_flight, queue: requests at its engines or provider now, and those that wait, of all processes of the house.
        memory_bytes, restarts: of all replicas together.
    """

    id: str
    number: int
    share: int
    model: str | None
    version: int | None
    engine: str | None
    provider: str | None
    upstream_model: str | None
    settings: dict[str, Any]
    created_ms: int
    scaling: Scaling | None
    replicas: ReplicasView | None
    in_flight: int
    queue: int
    phase: str | None
    detail: str | None
    memory_bytes: int | None
    restarts: int | None


class DeploymentView(msgspec.Struct, frozen=True, kw_only=True):
    """A name that clients call.

    Attributes:
        state: ``ready``, ``pending``, ``asleep``, ``waking``, or ``ended``: its version has, and requests are refused.
        pending: why, in words; empty when ready.
        in_flight, queue: of all its revisions.
        routes: what it can be asked for; ``embeddings`` also through *embeddings_by*.
        revisions: newest first.
        type: ``local``, ``standard``, ``provisioned`` or ``batch``.
        reserved_tokens_per_minute, utilization: of a provisioned one; 1.0 is all of it in use.
        upgrade: when it moves to another version of its model by itself.
        retires_ms: when the version that answers ends; null: nobody said that it does.
    """

    id: str
    name: str
    state: str
    pending: str
    in_flight: int
    queue: int
    model: str
    aliases: list[str]
    embeddings_by: str | None
    routes: list[str]
    features: list[str]
    context_tokens: int | None
    price: PriceView | None
    type: str
    reserved_tokens_per_minute: int | None
    utilization: float | None
    upgrade: str
    retires_ms: int | None
    created_ms: int
    revisions: list[RevisionView]


class AliasTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an alias leads."""

    deployment: str


class AliasView(msgspec.Struct, frozen=True):
    """A second name and the deployment that it leads to."""

    alias: str
    deployment: str


class _Rows(msgspec.Struct):
    deployments: list[deployment_rows.DeploymentRow]
    revisions: list[deployment_rows.Revision]
    weights: dict[str, deployment_rows.Weights]
    providers: dict[str, str]
    aliases: dict[str, str]
    terms: dict[str, Terms]
    loads: dict[str, Load] = {}


def _read(tx: Tx) -> _Rows:
    return _Rows(
        deployment_rows.list_deployments(tx),
        deployment_rows.list_revisions(tx),
        deployment_rows.list_weights(tx),
        {one.id: one.name for one in rows.list_providers(tx)},
        deployment_rows.list_aliases(tx),
        terms_rows.list_terms(tx),
    )


async def show_deployments(visit: Visit) -> list[DeploymentView]:
    """Give every deployment that the caller may use."""
    found, allowed = await visit.house.store.read(_read), visit.caller.deployments
    found.loads = await ask_loads(visit.house)
    await visit.house.limiter.refresh([*visit.house.board.buckets.values()])
    return [_show(visit.house, found, row) for row in found.deployments if allowed is None or row.name in allowed]


def _show(house: House, found: _Rows, row: deployment_rows.DeploymentRow) -> DeploymentView:
    now = house.board.now.deployments.get(row.name)
    targets = now.targets if now else ()
    ended = now.entry.ended_at(house.clock.now_ms()) if now and now.entry else ""
    own = [one for one in found.revisions if one.deployment_id == row.id]
    revisions = [_revision(house, found, one) for one in own]
    faces = targets or _sleeping(house, now, own)
    routes = {str(route) for face in faces for route in face.routes}
    if row.embeddings_by is not None:
        routes.add("embeddings")
    return DeploymentView(
        id=row.id,
        name=row.name,
        state="ended" if ended else "ready" if targets else (now and now.phase) or "pending",
        pending=ended or (now.pending if now else "not looked at yet"),
        in_flight=sum(one.in_flight for one in revisions),
        queue=sum(one.queue for one in revisions),
        model=now.model if now else "",
        aliases=[alias for alias, target in found.aliases.items() if target == row.id],
        embeddings_by=row.embeddings_by,
        routes=sorted(routes),
        features=sorted({feature for face in faces for feature in face.features}),
        context_tokens=max((face.context_tokens or 0 for face in faces), default=0) or None,
        price=show_price(row.name, now.price) if now and now.price else None,
        **show_terms(house, row.id, found.terms.get(row.id, terms_rows.ORDINARY), own),
        retires_ms=min((one.ends_ms for one in targets if one.share and one.ends_ms is not None), default=None),
        created_ms=row.created_ms,
        revisions=revisions,
    )


def _sleeping(
    house: House, now: Deployment | None, revisions: list[deployment_rows.Revision]
) -> tuple[Target | Launch, ...]:
    """What a deployment that sleeps can be asked for, as its engines plan it: a request wakes it."""
    plans = house.board.now.plans
    if now is None or now.wakes is None:
        return ()
    return tuple(plans[one.id][1] for one in revisions if one.share and one.id in plans)


def show_terms(
    house: House, deployment_id: str, terms: Terms, revisions: list[deployment_rows.Revision]
) -> dict[str, Any]:
    """Write a deployment's terms for the API, with how much of what is reserved is in use."""
    bucket = house.board.buckets.get(deployment_id)
    return {
        "type": terms.kind_on(revisions[0].engine if revisions else None),
        "reserved_tokens_per_minute": terms.reserved_tpm,
        "utilization": None if bucket is None else round(bucket.utilisation(house.clock.now_ms()), 3),
        "upgrade": terms.upgrade,
    }


async def put_terms(visit: Visit) -> Answer:
    """``PUT /api/v1/deployments/{deployment}/terms``."""
    await set_terms(visit.house, visit.caller, visit.params["deployment"], visit.read(TermsChange))
    await in_force(visit, None)
    return await get_deployment(visit)


def _revision(house: House, found: _Rows, one: deployment_rows.Revision) -> RevisionView:
    weights = found.weights.get(one.version_id or "")
    states = replica_states(house, one.id)
    state = states[0] if states else None
    load = found.loads.get(one.id, NOTHING)
    same = ("id", "number", "share", "engine", "upstream_model", "settings", "scaling", "created_ms")
    return RevisionView(
        **{name: getattr(one, name) for name in same},
        model=weights.model if weights else None,
        version=weights.number if weights else None,
        provider=found.providers.get(one.provider_id or ""),
        replicas=show_replicas(house, one.id, states),
        in_flight=load.in_flight,
        queue=queue_of(load, slots_of(house, one.id)),
        phase=state.phase if state else None,
        detail=state.detail if state else None,
        memory_bytes=sum(each.memory_bytes or 0 for each in states) or None,
        restarts=sum(each.restarts for each in states) if states else None,
    )


async def list_deployments(visit: Visit) -> Answer:
    """``GET /api/v1/deployments``."""
    return json_answer(Page(await show_deployments(visit)))


async def get_deployment(visit: Visit) -> Answer:
    """``GET /api/v1/deployments/{deployment}``: by id, name or alias."""
    name = visit.params["deployment"]
    row = await visit.house.store.read(lambda tx: real_deployment(tx, name))
    found = [one for one in await show_deployments(visit) if one.id == row.id]
    if not found:
        raise NotFound(f"there is no deployment {name!r} for {visit.caller.name!r}")
    return json_answer(found[0])


async def put_deployment(visit: Visit) -> Answer:
    """``PUT /api/v1/deployments/{deployment}``: a new revision gets its traffic once it is ready."""
    name = visit.params["deployment"]
    await deploy(visit.house, visit.caller, name, visit.read(NewRevision))
    await in_force(visit, None)
    return await get_deployment(visit)


async def delete_deployment(visit: Visit) -> Answer:
    """``DELETE /api/v1/deployments/{deployment}``."""
    gone = await remove_deployment(visit.house, visit.caller, visit.params["deployment"])
    return await in_force(visit, Gone(gone.id, gone.name))


async def list_aliases(visit: Visit) -> Answer:
    """``GET /api/v1/aliases``."""
    seen = await show_deployments(visit)
    return json_answer(Page([AliasView(alias, one.name) for one in seen for alias in one.aliases]))


async def put_alias(visit: Visit) -> Answer:
    """``PUT /api/v1/aliases/{alias}``."""
    alias = visit.params["alias"]
    return await in_force(
        visit,
        AliasView(alias, await set_alias(visit.house, visit.caller, alias, visit.read(AliasTarget).deployment)),
    )


async def delete_alias(visit: Visit) -> Answer:
    """``DELETE /api/v1/aliases/{alias}``."""
    alias = visit.params["alias"]
    await remove_alias(visit.house, visit.caller, alias)
    return await in_force(visit, Gone(alias, alias))


_LIST, _ONE, _ALIAS = "/api/v1/deployments", "/api/v1/deployments/{deployment}", "/api/v1/aliases/{alias}"
DOORS = (
    Door("GET", _LIST, list_deployments, "List deployments", "deployments:read", face="admin",
         gives=Page[DeploymentView]),
    Door("GET", _ONE, get_deployment, "Show a deployment", "deployments:read", face="admin", gives=DeploymentView),
    Door(
        "PUT", _ONE, put_deployment, "Deploy a new revision", "deployments:write", tells="RevisionDeployed",
        face="admin", takes=NewRevision, gives=DeploymentView,
    ),
    Door("PUT", _ONE + "/terms", put_terms, "Set a deployment's type, reserved throughput and upgrade policy",
         "deployments:write", tells="TermsSet", face="admin", takes=TermsChange, gives=DeploymentView),
    Door(
        "DELETE", _ONE, delete_deployment, "Remove a deployment", "deployments:write", tells="DeploymentRemoved",
        face="admin", gives=Gone,
    ),
    Door("GET", "/api/v1/aliases", list_aliases, "List aliases", "deployments:read", face="admin",
         gives=Page[AliasView]),
    Door(
        "PUT", _ALIAS, put_alias, "Point an alias at a deployment", "deployments:write", tells="AliasSet",
        face="admin", takes=AliasTarget, gives=AliasView,
    ),
    Door("DELETE", _ALIAS, delete_alias, "Remove an alias", "deployments:write", tells="AliasRemoved", face="admin",
         gives=Gone),
)  # fmt: skip
