"""Point a deployment at a new revision, once its engine or provider has agreed to it."""

from dataclasses import replace
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, Conflict
from primeur.core.events import DeploymentRemoved
from primeur.core.ports import ProviderOrder
from primeur.core.scaling import Scaling
from primeur.registry import deployment_rows, rows
from primeur.registry.engine_choice import AUTO, default_engine
from primeur.registry.facts import day_of
from primeur.registry.roll_outs import RollOutPolicy
from primeur.registry.terms import Kind
from primeur.registry.upgrades import Upgrade
from primeur.store.database import Tx, tell
from primeur.walks.check_deployments import real_deployment
from primeur.walks.choose_project import actor_of
from primeur.walks.fit_memory import check_fit
from primeur.walks.given import given
from primeur.walks.house import House
from primeur.walks.measure_engine import choose_for
from primeur.walks.plan_replicas import check_replicas, engine_order
from primeur.walks.point_deployment import Pointer, point_deployment
from primeur.walks.seal_secrets import open_settings
from primeur.walks.set_terms import Reserved, TermsChange, write_terms


class NewRevision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a deployment shall run: a model's version on an engine, or a provider's model.

    Attributes:
        version: number of the model's version, ``latest``, or ``default``: the one that the model says, which is also
            taken when none is given.
        engine: when only a model is given, ``llamacpp`` for a GGUF file and ``transformers`` for a safetensors folder;
            ``auto`` takes the one that was measured best on this machine.
        settings: of the engine or the provider's deployment.
        embeddings_by: another deployment that answers embeddings for this one; unchanged when not given.
        roll_out: how traffic shall move to it, judged on the way; all at once when not given.
        scaling: how many replicas of its engine run; as before when not given, exactly one when null.
        type, reserved_tokens_per_minute, upgrade: see `primeur.walks.set_terms.TermsChange`.
    """

    model: str | None = None
    version: int | Literal["latest", "default"] | None = None
    engine: str | None = None
    provider: str | None = None
    upstream_model: str | None = None
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    embeddings_by: str | UnsetType | None = UNSET
    roll_out: RollOutPolicy | None = None
    scaling: Scaling | UnsetType | None = UNSET
    type: Kind | UnsetType | None = UNSET
    reserved_tokens_per_minute: Reserved | UnsetType | None = UNSET
    upgrade: Upgrade | UnsetType = UNSET

    @property
    def terms(self) -> TermsChange:
        """What is said of the deployment's terms."""
        return TermsChange(
            type=self.type, reserved_tokens_per_minute=self.reserved_tokens_per_minute, upgrade=self.upgrade
        )


async def deploy(house: House, caller: Caller, name: str, ask: NewRevision) -> deployment_rows.Revision:
    """Give the deployment *name* a new revision, and make it if it is new; raises as `write_revision`."""
    return await house.store.transact(lambda tx: write_revision(tx, house, caller, name, ask))


async def remove_deployment(house: House, caller: Caller, name: str) -> deployment_rows.DeploymentRow:
    """Free a deployment's name; its revisions and aliases go with it, what it served stays in the log.

    Raises:
        NotFound: there is none.
        Conflict: another deployment has its embeddings answered by it.
    """

    def work(tx: Tx) -> deployment_rows.DeploymentRow:
        row = deployment_rows.find_deployment(tx, name)
        for other in deployment_rows.list_deployments(tx):
            if other.embeddings_by == row.name:
                raise Conflict(f"{other.name!r} has its embeddings answered by {row.name!r}; change that first")
        deployment_rows.remove_deployment(tx, row)
        tell(tx, DeploymentRemoved(row.name), actor=actor_of(caller), at_ms=house.clock.now_ms(), before=row)
        return row

    return await house.store.transact(work)


def write_revision(tx: Tx, house: House, caller: Caller, name: str, ask: NewRevision) -> deployment_rows.Revision:
    """Keep a new revision in a transaction that is open; the one before serves until this one is ready.

    Its engine is scaled as the one before it was, unless *ask* says otherwise.

    Raises:
        BadRequest: neither engine nor provider, or both; an engine or name that does not exist.
        NotFound: the model, version or provider is not there.
        Conflict: the model is retired, the name is an alias, or there is not enough memory.
        SetupError: engine or provider do not accept the settings or weights.
    """
    if ask.provider is not None:
        pointer = _on_provider(tx, house, name, ask)
    else:
        pointer = _on_model(tx, house, name, ask) or _on_engine(tx, house, name, ask)
    now_ms = house.clock.now_ms()
    revision = point_deployment(tx, pointer, entropy=house.entropy, actor=actor_of(caller), now_ms=now_ms)
    row = deployment_rows.find_deployment(tx, revision.deployment_id)
    write_terms(tx, house, caller, row, revision.engine, ask.terms)
    if revision.engine is not None:
        check_plan(tx, house, revision, name)
    return revision


def _on_provider(tx: Tx, house: House, name: str, ask: NewRevision) -> Pointer:
    if ask.engine is not None or ask.model is not None or ask.version is not None:
        raise BadRequest("a deployment runs on a provider or on an engine, not on both", param="provider")
    if given(ask.scaling, None) is not None:
        raise BadRequest("a provider counts its own replicas; leave scaling out", param="scaling")
    if not ask.upstream_model:
        raise BadRequest("say which of the provider's models: upstream_model", param="upstream_model")
    row = rows.find_provider(tx, str(ask.provider))
    kind = house.providers.get(row.kind)
    if kind is None:
        raise BadRequest(f"there is no provider kind {row.kind!r} here; install what brings it", param="provider")
    settings = open_settings(house, row.id, row.settings, kind.secret_settings)
    kind.face(ProviderOrder(settings, ask.settings, ask.upstream_model))
    return Pointer(
        name,
        provider_id=row.id,
        upstream_model=ask.upstream_model,
        settings=ask.settings,
        embeddings_by=_embeddings_by(tx, name, ask),
        roll_out=ask.roll_out,
    )


def find_asked(tx: Tx, name: str, number: int | str | None, now_ms: int) -> rows.Version:
    """Give the version that is asked for.

    Args:
        number: None and ``default`` mean the model's default version.

    Raises:
        NotFound: there is no such model or version.
        Conflict: the model is retired, or the version has ended.
    """
    model = rows.find_model(tx, name)
    if model.retired_ms is not None:
        raise Conflict(f"the model {model.name!r} is retired; choose another one, or add a version to bring it back")
    newest = rows.next_number(tx, model.id) - 1 if number == "latest" else None
    version = rows.find_version(tx, model, newest or (number if isinstance(number, int) else None))
    if version.retires_ms is not None and version.retires_ms <= now_ms:
        ended = f"version {version.number} of {model.name!r} ended on {day_of(version.retires_ms)}"
        raise Conflict(f"{ended}; choose another version", param="version", code="version_retired")
    return version


def _on_model(tx: Tx, house: House, name: str, ask: NewRevision) -> Pointer | None:
    """Give what runs a provider's model that the registry knows; None for weights of ours."""
    if ask.model is None:
        return None
    version = find_asked(tx, ask.model, ask.version, house.clock.now_ms())
    if version.provider_id is None:
        return None
    if ask.engine is not None:
        raise BadRequest(f"{ask.model!r} lies at a provider, and runs on no engine of ours", param="engine")
    held = msgspec.structs.replace(
        ask, model=None, version=None, provider=version.provider_id, upstream_model=version.upstream_model
    )
    return replace(_on_provider(tx, house, name, held), version_id=version.id)


def _on_engine(tx: Tx, house: House, name: str, ask: NewRevision) -> Pointer:
    if ask.engine is None and ask.model is None:
        raise BadRequest("say what to run: a model, an engine, or a provider and upstream_model", param="model")
    version = None if ask.model is None else find_asked(tx, ask.model, ask.version, house.clock.now_ms())
    engine = ask.engine or default_engine(version.format if version else None)
    if engine == AUTO:
        if version is None:
            raise BadRequest("the engine 'auto' is chosen for a model; name one", param="model")
        engine = choose_for(tx, house, version).engine
    if engine not in house.engines:
        known = ", ".join(sorted(house.engines)) or "none"
        raise BadRequest(f"there is no engine {engine!r}; installed: {known}", param="engine")
    return Pointer(
        name,
        engine=engine,
        version_id=version.id if version else None,
        settings=ask.settings,
        embeddings_by=_embeddings_by(tx, name, ask),
        roll_out=ask.roll_out,
        scaling=given(ask.scaling, _scaling_before(tx, name)),
    )


def _scaling_before(tx: Tx, name: str) -> Scaling | None:
    known = [row for row in deployment_rows.list_deployments(tx) if row.name == name]
    revisions = deployment_rows.list_revisions(tx, known[0].id) if known else []
    return revisions[0].scaling if revisions else None


def _embeddings_by(tx: Tx, name: str, ask: NewRevision) -> str | None:
    known = {row.name: row.embeddings_by for row in deployment_rows.list_deployments(tx)}
    wanted = given(ask.embeddings_by, known.get(name))
    if wanted is not None:
        wanted = real_deployment(tx, wanted).name
        if wanted == name:
            raise BadRequest("a deployment needs no other to answer its own embeddings", param="embeddings_by")
    return wanted


def check_plan(tx: Tx, house: House, revision: deployment_rows.Revision, name: str) -> None:
    """Let the engine look at weights and settings, and see that it fits; what is refused is never kept.

    Raises:
        SetupError, BadRequest: the engine does not accept them.
        Conflict: there is not enough memory.
    """
    weights = deployment_rows.list_weights(tx).get(revision.version_id or "")
    order = engine_order(house, revision, weights.model if weights else name, weights.path if weights else None)
    launch = house.engines[str(revision.engine)].plan(order)
    check_replicas(revision.scaling, launch, str(revision.engine))
    check_fit(tx, house, revision, (order, launch), name)
