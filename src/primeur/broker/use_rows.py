"""What was used of commitments, read from what their providers served; rows."""

from collections.abc import Iterable

from sqlalchemy import func, select

from primeur.broker.book_rows import list_papers
from primeur.broker.papers import Commitment
from primeur.broker.register import Kind
from primeur.broker.source_rows import SheetRow, list_sheets, list_sources
from primeur.broker.supply import Source
from primeur.broker.use import Drawn, Span, Use, share_out, spans_of, tokens_of
from primeur.store.database import Tx
from primeur.store.usage_sums import used

_MOST = 500


def read_use(tx: Tx, commitments: Iterable[Commitment], now_ms: int) -> dict[str, Use]:
    """Give what was used of commitments until now, by their ids."""
    asked = list(commitments)
    known = [one.line.paper for one in list_papers(tx, Kind.COMMITMENT, most=_MOST)]
    all_of_them = {one.id: one for one in (*known, *asked) if isinstance(one, Commitment)}
    sources = list_sources(tx)
    found: dict[str, Use] = {}
    for provider in sorted({one.provider for one in asked}):
        sheets = list_sheets(tx, provider)
        mine = [one for one in all_of_them.values() if one.provider == provider]
        drawn = [Drawn(one, _deployments(one, sources), tokens_of(one, _unit(one, sheets))) for one in mine]
        together = _together(drawn, {one.id for one in asked})
        served = [(span, _served(tx, provider, span)) for span in spans_of(together, now_ms)]
        found |= share_out(together, served)
    return {one.id: found[one.id] for one in asked}


def _together(drawn: list[Drawn], asked: set[str]) -> list[Drawn]:
    """Leave out what ended before everything that is asked for, or shares the time with it, began."""
    begin = min(one.span[0] for one in drawn if one.commitment.id in asked)
    while earlier := [one.span[0] for one in drawn if one.span[0] < begin < one.span[1]]:
        begin = min(earlier)
    return [one for one in drawn if one.span[1] > begin or one.commitment.id in asked]


def _deployments(commitment: Commitment, sources: list[Source]) -> frozenset[str] | None:
    """Give whose requests a commitment is for: its class names a deployment, its product those served from it."""
    terms = commitment.terms
    if terms.workload_class:
        return frozenset({terms.workload_class})
    mine = [source for source in sources if source.provider == commitment.provider]
    if not terms.sku or not mine:
        return None
    zones = {"", terms.zone}
    fits = [one for one in mine if one.sku in {"", terms.sku} and (not terms.zone or one.zone in zones)]
    return frozenset(one.deployment for one in fits)


def _unit(one: Commitment, sheets: list[SheetRow]) -> int:
    """Give what a unit does, by the sheet in force when the commitment begins; else by the first there was."""
    newest_first = [row for row in sheets if row.from_ms <= one.terms.start_ms] or sheets[-1:]
    for row in newest_first[:1]:
        product = row.sheet.product(one.terms.sku, one.terms.zone)
        return 0 if product is None else product.unit_tokens_per_minute
    return 0


def _served(tx: Tx, provider: str, span: Span) -> dict[str, int]:
    source = used(*span)
    c = source.c
    tokens = func.sum(c.input_tokens + c.output_tokens)
    query = select(c.deployment, tokens).where(c.provider == provider).group_by(c.deployment)
    return {str(deployment): int(count or 0) for deployment, count in tx.execute(query)}
