"""Set on which terms a deployment serves: its type, what is reserved for it, and how it is upgraded."""

from dataclasses import replace
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from primeur.core.caller import Caller
from primeur.core.events import TermsSet
from primeur.registry import deployment_rows, terms_rows
from primeur.registry.terms import Kind, Terms, check_terms
from primeur.registry.upgrades import Upgrade
from primeur.store.database import Tx, tell
from primeur.walks.check_deployments import real_deployment
from primeur.walks.choose_project import actor_of
from primeur.walks.given import given
from primeur.walks.house import House

Reserved = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]


class TermsChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Terms of a deployment; what is not given stays.

    Attributes:
        type: ``local``, ``standard``, ``provisioned`` or ``batch``; null: local on an engine, standard at a provider.
        reserved_tokens_per_minute: of a provisioned one, and of no other; forgotten when the type becomes another.
        upgrade: when it moves to another version of its model by itself.
    """

    type: Kind | UnsetType | None = UNSET
    reserved_tokens_per_minute: Reserved | UnsetType | None = UNSET
    upgrade: Upgrade | UnsetType = UNSET


async def set_terms(house: House, caller: Caller, name: str, ask: TermsChange) -> Terms:
    """Change a deployment's terms.

    Raises:
        NotFound: there is no such deployment.
        BadRequest: the terms contradict each other, or where the deployment runs.
    """

    def work(tx: Tx) -> Terms:
        row = real_deployment(tx, name)
        newest = next(iter(deployment_rows.list_revisions(tx, row.id)))
        return write_terms(tx, house, caller, row, newest.engine, ask)

    return await house.store.transact(work)


def write_terms(  # noqa: PLR0913, PLR0917 (whose terms, where it runs, and what is asked)
    tx: Tx, house: House, caller: Caller, row: deployment_rows.DeploymentRow, engine: str | None, ask: TermsChange
) -> Terms:
    """Change terms in a transaction that is open; raises as `set_terms`."""
    before = terms_rows.find_terms(tx, row.id)
    kind = given(ask.type, before.kind)
    stays = before.reserved_tpm if kind == before.kind else None
    after = replace(
        before,
        kind=kind,
        reserved_tpm=given(ask.reserved_tokens_per_minute, stays),
        upgrade=given(ask.upgrade, before.upgrade),
    )
    check_terms(after, engine)
    if after != before:
        terms_rows.keep_terms(tx, row.id, after)
        what = TermsSet(row.name, after.kind, after.reserved_tpm, after.upgrade)
        tell(tx, what, actor=actor_of(caller), at_ms=house.clock.now_ms(), before=before, after=after)
    return after
