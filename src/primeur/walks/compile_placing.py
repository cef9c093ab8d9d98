"""Compile who may serve each deployment under a right: targets of its sources, their live capacity, hard terms."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from primeur.broker.book import Book
from primeur.broker.book_rows import list_books, load_book
from primeur.broker.headroom import Capacity, Headroom
from primeur.broker.lengths import Lengths
from primeur.broker.placement import Candidate, Need, Preference
from primeur.broker.rights import Right, RightState, version_at
from primeur.broker.source_rows import list_sources, sheets_in_force
from primeur.broker.supply import Sheet, Source
from primeur.core.chat import Deployment, Target
from primeur.core.errors import PrimeurError
from primeur.core.ports import ProviderOrder
from primeur.registry.rows import Provider
from primeur.store.database import Tx
from primeur.walks.house import House
from primeur.walks.place_request import PATIENCE_MS, Placer
from primeur.walks.seal_secrets import open_settings

# What nobody told a limit of has this many work tokens a second: more than any machine does.
_NO_LIMIT = 1e12
_BINDING = frozenset({RightState.ACTIVE, RightState.SUSPENDED})


@dataclass(frozen=True)
class Supply:
    """The broker's rows at one moment."""

    sources: Mapping[str, list[Source]]
    sheets: Mapping[str, Sheet]
    books: list[Book]


def read_supply(tx: Tx, house: House, now_ms: int) -> Supply:
    """Read every row that placing needs."""
    by_deployment: dict[str, list[Source]] = {}
    for source in list_sources(tx):
        by_deployment.setdefault(source.deployment, []).append(source)
    known = house.board.books
    for book_id, _ in list_books(tx):
        # What this process has replayed once, it does not replay again; an older reading is as good to go on from.
        known[book_id] = load_book(tx, book_id, known.get(book_id))
    return Supply(by_deployment, sheets_in_force(tx, now_ms), [kept.book for kept in known.values()])


def with_placing(house: House, deployment: Deployment, supply: Supply, providers: Iterable[Provider]) -> Deployment:
    """Give *deployment* the targets of its sources and, where a right concerns it, who is asked first."""
    sources = {source.provider: source for source in supply.sources.get(deployment.name, ())}
    right = _right_of(deployment.name, supply, house.clock.now_ms(), sources)
    if not sources and right is None:
        return deployment
    by_name = {one.name: one for one in providers}
    further = [
        _target(house, by_name[name], source) for name, source in sources.items() if _is_further(source, by_name)
    ]
    targets = (*deployment.targets, *(one for one in further if one is not None))
    deployment = replace(deployment, targets=targets, pending="" if targets else deployment.pending)
    return (
        deployment if right is None else replace(deployment, placing=_placer(house, deployment, sources, right, supply))
    )


def _is_further(source: Source, providers: Mapping[str, Provider]) -> bool:
    return source.upstream_model is not None and source.provider in providers


def _target(house: House, row: Provider, source: Source) -> Target | None:
    """Give a source's target; None while it cannot be reached from what is declared."""
    provider = house.providers.get(row.kind)
    if provider is None:
        return None
    try:
        settings = open_settings(house, row.id, row.settings, provider.secret_settings)
        face = provider.face(ProviderOrder(settings, {}, str(source.upstream_model)))
    except PrimeurError:
        return None
    return Target(
        revision_id=f"source:{row.name}",
        provider=row.name,
        endpoint=face.endpoint,
        dialect=face.dialect,
        upstream_model=face.upstream_model,
        routes=face.routes,
        # Without a right, a source is asked only when the revisions fail.
        share=0,
        context_tokens=face.context_tokens,
        features=face.features,
    )


def _right_of(name: str, supply: Supply, now_ms: int, sources: Mapping[str, Source]) -> Right | None:
    """Find the right that concerns a deployment: its class is the deployment's name, its product that of the holder."""
    for book in supply.books:
        right = version_at(book.versions, now_ms)
        if right is None or right.state not in _BINDING or right.expires_ms <= now_ms:
            continue
        source = sources.get(right.holder)
        sku, zone = (source.sku, source.zone) if source is not None else ("", "")
        # How many units are bought at once says nothing of single requests.
        if right.scope.covers(name, sku, zone, right.scope.minimum_units) or name in right.hard.exclusive_models:
            return right
    return None


def _placer(
    house: House, deployment: Deployment, sources: Mapping[str, Source], right: Right, supply: Supply
) -> Placer:
    now_ms, now_us = house.clock.now_ms(), house.clock.monotonic_us()
    until_us = now_us + (right.expires_ms - now_ms) * 1000 if right.state == RightState.ACTIVE else 0
    candidates = {}
    for target in deployment.targets:
        source = sources.get(target.provider, Source(deployment.name, target.provider))
        candidates[target.provider] = _candidate(house, target, source, supply.sheets.get(target.provider, Sheet()))
    said = list(sources.values())
    exclusive = right.holder if deployment.name in right.hard.exclusive_models else None
    policy = next((source.data_policy for source in said if source.data_policy is not None), None)
    need = Need(zones=right.hard.zones, data_policy=policy, exclusive_to=exclusive)
    patience = next((source.patience_ms for source in said if source.patience_ms is not None), PATIENCE_MS)
    return Placer(right, candidates, Preference(right.holder, 0, until_us), need, patience)


def _candidate(house: House, target: Target, source: Source, sheet: Sheet) -> Candidate:
    product = sheet.product(source.sku, source.zone)
    told = source.tokens_per_minute or (product.tokens_per_minute if product is not None else 0)
    return Candidate(
        provider=target.provider,
        headroom=_room(house, source, told / 60 if told else _NO_LIMIT),
        zone=source.zone or (product.zone if product is not None else ""),
        modalities=frozenset({"text", "image"} if "vision" in target.features else {"text"}),
        data_policies=sheet.data_terms,
        price_nanos=product.token_price_nanos if product is not None else 0,
    )


def _room(house: House, source: Source, work_per_s: float) -> Headroom:
    """Give the live state of a source; what is in flight and what was learned outlives snapshots."""
    key, capacity = (source.deployment, source.provider), Capacity(work_per_s)
    known = house.board.rooms.get(key)
    if known is None:
        known = house.board.rooms[key] = Headroom(capacity, Lengths())
    known.resize(capacity)
    return known
