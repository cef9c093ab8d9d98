"""Say which providers may serve a deployment, and what a provider supplies."""

from primeur.broker.source_rows import SheetRow, add_sheet, keep_source, remove_source
from primeur.broker.supply import Sheet, Source
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.events import SheetSet, SourceRemoved, SourceSet
from primeur.core.ids import make_id
from primeur.registry.rows import find_provider
from primeur.store.database import Tx, tell
from primeur.walks.check_deployments import real_deployment
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House


async def set_source(house: House, caller: Caller, source: Source) -> Source:
    """Let a provider serve a deployment, or change in which terms it does.

    Raises:
        NotFound: no such deployment, or no such provider.
        BadRequest: an engine's name with an upstream model.
    """

    def work(tx: Tx) -> Source:
        real_deployment(tx, source.deployment)
        if source.provider not in house.engines:
            find_provider(tx, source.provider)
        elif source.upstream_model is not None:
            raise BadRequest(f"{source.provider!r} is an engine; deploy a revision on it", param="upstream_model")
        now_ms = house.clock.now_ms()
        keep_source(tx, source, make_id("source", now_ms, house.entropy), now_ms)
        tell(tx, SourceSet(source.deployment, source.provider), actor=actor_of(caller), at_ms=now_ms)
        return source

    return await house.store.transact(work)


async def drop_source(house: House, caller: Caller, deployment: str, provider: str) -> None:
    """Let a provider serve a deployment no more, beyond its revisions.

    Raises:
        NotFound: it is no source of it.
    """

    def work(tx: Tx) -> None:
        remove_source(tx, deployment, provider)
        tell(tx, SourceRemoved(deployment, provider), actor=actor_of(caller), at_ms=house.clock.now_ms())

    await house.store.transact(work)


async def set_sheet(house: House, caller: Caller, provider: str, sheet: Sheet, from_ms: int | None) -> SheetRow:
    """Write the next version of what a provider supplies, in force from a moment on; now by default.

    Raises:
        NotFound: no such provider.
    """

    def work(tx: Tx) -> SheetRow:
        name = provider if provider in house.engines else find_provider(tx, provider).name
        now_ms = house.clock.now_ms()
        row = add_sheet(tx, name, sheet, now_ms if from_ms is None else from_ms, now_ms)
        tell(tx, SheetSet(name, row.version), actor=actor_of(caller), at_ms=now_ms)
        return row

    return await house.store.transact(work)
