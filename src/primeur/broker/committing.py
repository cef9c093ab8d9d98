"""Commitments: with third parties, amended, cancelled, used up; and releases given back."""

from dataclasses import replace

from primeur.broker.book import Book, aged, check_free, commit, known, with_request
from primeur.broker.commands import AmendCommitment, CancelCommitment, CommitThird, ExhaustCommitment, GiveBack
from primeur.broker.papers import COMMITMENT, RELEASE, Commitment, CommitmentState, ReleaseState
from primeur.broker.terms import Terms, more_favourable
from primeur.core.errors import BadRequest, Conflict


def commit_third(command: CommitThird, book: Book) -> Book:
    """Agree with somebody who holds no right, on free or released units."""
    request = book.request(command.request)
    commitment = Commitment(command.commitment, request.id, command.provider, command.terms, release=command.release)
    if book.right_of(request) is None and command.release is None:
        check_free(book, request, command.terms.units)
        return commit(book, commitment)
    window = book.releases.get(command.release or "")
    if window is None or window.request != request.id:
        raise Conflict(f"request {request.id} is under a right: offer it to the holder; then name what it let go")
    if window.left < command.terms.units:
        raise Conflict(f"release {window.id} is {window.state} with {window.left} units left; offer the rest again")
    better = more_favourable(command.terms, window.ceiling, window.tolerance_percent)
    if better:
        raise Conflict(f"{command.provider} would get better terms than the holder was offered: {', '.join(better)}")
    consumed = window.consumed + command.terms.units
    move = "consume_rest" if consumed == window.units else "consume_part"
    used = replace(window, consumed=consumed, state=ReleaseState(RELEASE.after(window.state, move)))
    return commit(replace(book, releases={**book.releases, window.id: used}), commitment)


def amend_commitment(command: AmendCommitment, book: Book) -> Book:
    """Let another commitment with the same party take the place of one; units that it drops are cancelled.

    What a third party may not be given at first, it may not be given later.
    """
    old = book.commitment(command.commitment)
    if command.replacement in book.commitments:
        raise Conflict(f"commitment {command.replacement} exists; take another id")
    if command.terms == old.terms:
        raise BadRequest(f"commitment {old.id} has these terms already; nothing to amend")
    superseded = _ended(book, old, "supersede")
    end_ms = command.terms.start_ms + command.terms.term_ms
    if end_ms <= book.now_ms:
        raise BadRequest(f"commitment {old.id} would end in the past; amend it to a later end, or cancel it")
    start_ms = max(command.terms.start_ms, book.now_ms)
    terms = replace(command.terms, start_ms=start_ms, term_ms=end_ms - start_ms)
    if terms.units > old.terms.units:
        raise Conflict(f"commitment {old.id} is for {old.terms.units} units; request more capacity to have more")
    _check_release(book, old, terms)
    made = replace(old, id=command.replacement, terms=terms, replaces=old.id, state=CommitmentState.PENDING)
    book = _dropped(book, old, old.terms.units - terms.units)
    return replace(book, commitments={**book.commitments, old.id: superseded, made.id: aged(made, book.now_ms)})


def cancel_commitment(command: CancelCommitment, book: Book) -> Book:
    """End a commitment before its term; its units are cancelled in its request."""
    old = book.commitment(command.commitment)
    ended = _ended(book, old, "cancel")
    book = _dropped(book, old, old.terms.units)
    return replace(book, commitments={**book.commitments, old.id: ended})


def exhaust_commitment(command: ExhaustCommitment, book: Book) -> Book:
    """Note that nothing is left of a commitment."""
    ended = _ended(book, book.commitment(command.commitment), "exhaust")
    return replace(book, commitments={**book.commitments, ended.id: ended})


def give_back(command: GiveBack, book: Book) -> Book:
    """End a release window before it expires; the right revives over what is left of it."""
    window = known(book.releases, command.release, f"no release {command.release}; only an open one can be given back")
    state = ReleaseState(RELEASE.after(window.state, "give_back"))
    return replace(book, releases={**book.releases, window.id: replace(window, state=state)})


def _ended(book: Book, old: Commitment, move: str) -> Commitment:
    return replace(old, state=CommitmentState(COMMITMENT.after(old.state, move)), ended_ms=book.now_ms)


def _dropped(book: Book, old: Commitment, units: int) -> Book:
    request = book.requests[old.request]
    fewer = replace(request, committed=request.committed - units, cancelled=request.cancelled + units)
    return with_request(book, fewer)


def _check_release(book: Book, old: Commitment, terms: Terms) -> None:
    """Hold a third party's amended terms to what the holder was offered, over all that replaced each other."""
    window = book.releases.get(old.release or "")
    if window is None:
        return
    first = old
    while first.replaces is not None:
        first = book.commitments[first.replaces]
    whole = replace(terms, term_ms=terms.start_ms + terms.term_ms - min(first.terms.start_ms, terms.start_ms))
    better = more_favourable(whole, window.ceiling, window.tolerance_percent)
    if better:
        raise Conflict(
            f"{old.provider} would get better terms than the holder was offered: {', '.join(better)}; "
            "cancel the commitment and offer the units to the holder at those terms"
        )
