"""Upgrade deployments to another version of their model as their policies say, and tell everybody before one ends."""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from primeur.core.errors import PrimeurError
from primeur.core.events import DeploymentUpgraded, UpgradeFailed
from primeur.core.ports import ProviderOrder
from primeur.registry import deployment_rows, roll_out_rows, rows, terms_rows
from primeur.registry.deployment_rows import DeploymentRow, Revision
from primeur.registry.roll_outs import ROLLED_BACK, UNDER_WAY, RollOutPolicy
from primeur.registry.terms import Terms
from primeur.registry.upgrades import NEVER, upgrade_due
from primeur.store.database import Tx, tell
from primeur.walks.compile_terms import default_of, edition_of
from primeur.walks.deploy import check_plan
from primeur.walks.house import House
from primeur.walks.point_deployment import Pointer, point_deployment
from primeur.walks.seal_secrets import open_settings
from primeur.walks.tell_retirements import tell_retirements

ACTOR = "upgrade"
_PERIOD_S = 30.0
_log = logging.getLogger("primeur.upgrades")


@dataclass(frozen=True, slots=True)
class Due:
    """A deployment that its policy wants to move.

    Attributes:
        reason: in words.
    """

    row: DeploymentRow
    live: Revision
    terms: Terms
    before: rows.Version
    after: rows.Version
    reason: str


async def upgrade_deployments(house: House, stop: asyncio.Event) -> None:
    """Look every half minute until *stop*."""
    failed: dict[str, str] = {}
    while not stop.is_set():
        await tell_retirements(house)
        await upgrade_once(house, failed)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PERIOD_S)


async def upgrade_once(house: House, failed: dict[str, str]) -> int:
    """Begin every upgrade that is due, each as a roll-out of its own; gives how many.

    Args:
        failed: why deployments could not be upgraded last time, by id; each reason is told once.
    """
    now_ms, begun = house.clock.now_ms(), 0
    for due in await house.store.read(lambda tx: find_due(tx, now_ms)):
        try:
            begun += await _begin(house, due)
            failed.pop(due.row.id, None)
        except PrimeurError as error:
            # A provider that is gone, weights that do not fit: the others are upgraded all the same.
            if failed.get(due.row.id) != error.message:
                failed[due.row.id] = error.message
                _log.warning("%s is not upgraded: %s", due.row.name, error.message)
                await _tell_failure(house, due, error.message)
    return begun


def find_due(tx: Tx, now_ms: int) -> list[Due]:
    """Give the upgrades that are due; a deployment whose traffic is being moved is left alone."""
    models = {one.id: one for one in rows.list_models(tx)}
    versions = {one.id: one for one in rows.list_versions(tx)}
    terms, found = terms_rows.list_terms(tx), []
    for row in deployment_rows.list_deployments(tx):
        policy = terms.get(row.id, terms_rows.ORDINARY)
        live = _answering(deployment_rows.list_revisions(tx, row.id))
        before = None if live is None else versions.get(live.version_id or "")
        if policy.upgrade == NEVER or live is None or before is None:
            continue
        roll_outs = roll_out_rows.list_roll_outs(tx, row.id)
        if roll_outs and roll_outs[0].state in UNDER_WAY:
            continue
        model = models[before.model_id]
        after = default_of(model, versions.values())
        tried = _gone_back(tx, row, roll_outs)
        why = upgrade_due(policy.upgrade, edition_of(before), edition_of(after), tried, now_ms)
        if why is not None and model.retired_ms is None:
            found.append(Due(row, live, policy, before, after, why))
    return found


def _answering(revisions: Iterable[Revision]) -> Revision | None:
    return max(revisions, key=lambda one: (one.share, one.number), default=None)


def _gone_back(tx: Tx, row: DeploymentRow, roll_outs: Iterable[roll_out_rows.RollOut]) -> set[str]:
    """Versions that the deployment had for a while and went back from."""
    version_of = {one.id: one.version_id for one in deployment_rows.list_revisions(tx, row.id)}
    back = {version_of.get(one.revision_id) for one in roll_outs if one.state == ROLLED_BACK}
    return {one for one in back if one is not None}


async def _begin(house: House, due: Due) -> bool:
    def work(tx: Tx) -> bool:
        now_ms = house.clock.now_ms()
        # Another process may have been quicker.
        still = [one for one in find_due(tx, now_ms) if one.row.id == due.row.id and one.after.id == due.after.id]
        if not still:
            return False
        pointer = _pointer(tx, house, still[0])
        revision = point_deployment(tx, pointer, entropy=house.entropy, actor=ACTOR, now_ms=now_ms)
        if revision.engine is not None:
            check_plan(tx, house, revision, due.row.name)
        numbers = due.before.number, due.after.number
        what = DeploymentUpgraded(due.row.name, revision.id, *numbers, due.terms.upgrade, due.reason)
        tell(tx, what, actor=ACTOR, at_ms=now_ms)
        return True

    return await house.store.transact(work)


def _pointer(tx: Tx, house: House, due: Due) -> Pointer:
    """What the deployment runs now, with the other version; moved like any other change, in judged steps."""
    live, after = due.live, due.after
    if after.provider_id is not None:
        provider = rows.find_provider(tx, after.provider_id)
        kind = house.providers[provider.kind]
        settings = open_settings(house, provider.id, provider.settings, kind.secret_settings)
        kind.face(ProviderOrder(settings, live.settings, str(after.upstream_model)))
    return Pointer(
        due.row.name,
        engine=live.engine if after.provider_id is None else None,
        version_id=after.id,
        provider_id=after.provider_id,
        upstream_model=after.upstream_model,
        settings=live.settings,
        embeddings_by=due.row.embeddings_by,
        scaling=live.scaling if after.provider_id is None else None,
        roll_out=_policy_of(tx, due.row),
    )


def _policy_of(tx: Tx, row: DeploymentRow) -> RollOutPolicy:
    """The policy of the deployment's last gradual roll-out, or ours."""
    found = (one.policy for one in roll_out_rows.list_roll_outs(tx, row.id) if one.policy.steps)
    return next(found, RollOutPolicy())


async def _tell_failure(house: House, due: Due, reason: str) -> None:
    what = UpgradeFailed(due.row.name, due.after.number, reason)
    now_ms = house.clock.now_ms()
    await house.store.transact(lambda tx: tell(tx, what, actor=ACTOR, at_ms=now_ms))
