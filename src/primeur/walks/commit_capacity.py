"""Commit to capacity: with third parties, on other terms, no longer; and give back what was let go."""

from primeur.broker.book_rows import Kept
from primeur.broker.commands import AmendCommitment, CancelCommitment, CommitThird, GiveBack
from primeur.broker.register import Kind
from primeur.broker.terms import Terms
from primeur.core.caller import Caller
from primeur.walks.house import House
from primeur.walks.tell_paper import fresh_key, name_paper, tell_paper


async def commit_third(  # noqa: PLR0913, PLR0917 (all that a commitment says)
    house: House, caller: Caller, request: str, provider: str, terms: Terms, release: str | None, key: str | None
) -> tuple[Kept, str]:
    """Agree with a third party on units that the holder let go, or that no right covers.

    Raises:
        NotFound: no such request.
        Conflict: no open release window covers the quantity and the terms.
    """
    key, commitment = name_paper(house, "commitment", key)
    command = CommitThird(key, commitment, request, provider, terms, release)
    return await tell_paper(house, caller, Kind.REQUEST, request, lambda _: command), commitment


async def amend_commitment(
    house: House, caller: Caller, commitment: str, terms: Terms, key: str | None
) -> tuple[Kept, str]:
    """Agree on other terms with the same party; gives the book and the id of what supersedes the commitment.

    Raises:
        NotFound: no such commitment.
        Conflict: it has ended, the terms add units, or a third party would fare better than the holder was offered.
        BadRequest: nothing changes, or it would end in the past.
    """
    key, made = name_paper(house, "commitment", key)
    command = AmendCommitment(key, commitment, made, terms)
    return await tell_paper(house, caller, Kind.COMMITMENT, commitment, lambda _: command), made


async def cancel_commitment(house: House, caller: Caller, commitment: str, key: str | None) -> Kept:
    """End a commitment before its term."""
    key = key or fresh_key(house)
    return await tell_paper(house, caller, Kind.COMMITMENT, commitment, lambda _: CancelCommitment(key, commitment))


async def give_back(house: House, caller: Caller, window: str, key: str | None) -> Kept:
    """Give up what is left of a release window, to offer it to the holder again."""
    key = key or fresh_key(house)
    return await tell_paper(house, caller, Kind.WINDOW, window, lambda _: GiveBack(key, window))
