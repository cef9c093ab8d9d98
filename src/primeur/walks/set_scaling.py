"""Scale a deployment otherwise: a new revision, because a revision never changes."""

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, Conflict, NotFound
from primeur.core.scaling import Scaling
from primeur.registry import deployment_rows as rows
from primeur.registry.roll_out_rows import is_under_way
from primeur.store.database import Tx
from primeur.walks.check_deployments import real_deployment
from primeur.walks.deploy import NewRevision, write_revision
from primeur.walks.house import House


async def set_scaling(house: House, caller: Caller, name: str, scaling: Scaling) -> rows.Revision:
    """Give the deployment a revision that is scaled so, and else runs what it runs; the same again changes nothing.

    Raises:
        NotFound: there is no such deployment.
        BadRequest: it runs on a provider, or it cannot be scaled so.
        Conflict: a roll-out is under way.
    """

    def work(tx: Tx) -> rows.Revision:
        row = real_deployment(tx, name)
        known = rows.list_revisions(tx, row.id)
        if not known:
            raise NotFound(f"the deployment {row.name!r} has no revision; deploy something first")
        now = max(known, key=lambda one: (one.share, one.number))
        if now.engine is None:
            raise BadRequest(f"{row.name!r} runs on a provider, which counts its own replicas", param="deployment")
        if now.scaling == scaling:
            return now
        under_way = is_under_way(tx, row.id)
        if under_way is not None:
            raise Conflict(
                f"scaling {row.name!r} otherwise makes a new revision, and a roll-out of it is {under_way.state}: two"
                f" cannot be under way; `primeur deployments promote {row.name}` or `roll-back {row.name}`, then scale",
                param="deployment",
            )
        weights = rows.list_weights(tx).get(now.version_id or "")
        ask = NewRevision(
            model=weights.model if weights else None,
            version=weights.number if weights else None,
            engine=now.engine,
            settings=now.settings,
            scaling=scaling,
        )
        return write_revision(tx, house, caller, row.name, ask)

    return await house.store.transact(work)
