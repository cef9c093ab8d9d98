"""Tell the event log that somebody was not let in by a provider or a passkey, and why."""

from primeur.core.errors import PrimeurError
from primeur.core.events import SignInRefused
from primeur.store.database import tell
from primeur.walks.house import House

_WORDS_MOST = 300


async def note_refused(house: House, method: str, error: PrimeurError) -> None:
    """Tell it; the page says less, so that nobody learns from it who is here."""
    what = SignInRefused(method, str(error)[:_WORDS_MOST])
    await house.store.transact(lambda tx: tell(tx, what, actor="unknown", at_ms=house.clock.now_ms()))
