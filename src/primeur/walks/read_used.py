"""Tell from the books how much of an allowance was used before a counter began to count."""

from collections.abc import Sequence

from primeur.core.errors import PrimeurError
from primeur.core.usage import Taken
from primeur.metering.used_rows import spent_since, used_since
from primeur.store.database import Store, Tx


async def read_used(store: Store, asked: Sequence[Taken]) -> list[int]:
    """Give how much was used of each, in its own unit: requests, tokens or nanos.

    Raises:
        PrimeurError: a counter that is not kept by the calendar was asked for.
    """
    return await store.read(lambda tx: [_one(tx, one) for one in asked])


def _one(tx: Tx, asked: Taken) -> int:
    scope, _, scope_id = asked.scope.partition(":")
    if asked.kind == "money":
        return spent_since(tx, scope, scope_id, asked.currency, asked.from_ms)
    requests, tokens = used_since(tx, scope, scope_id, asked.from_ms)
    if asked.kind == "requests_day":
        return requests
    if asked.kind == "tokens_day":
        return tokens
    raise PrimeurError(f"{asked.kind!r} is not in the books")
