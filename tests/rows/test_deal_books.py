"""Books as the database keeps them keep the promises of the pure ones: rows follow from commands and the time."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from primeur.broker.arrangements import Arrangements
from primeur.broker.book import Book, at
from primeur.broker.book_rows import Kept, add_book, add_command, books_due, keep_lines, list_papers, load_book
from primeur.broker.commands import (
    Answer,
    AnswerOffer,
    CloseOffer,
    CommitThird,
    GrantRight,
    MoveRight,
    OpenRequest,
    ReceiveNotice,
    SendOffer,
)
from primeur.broker.dealings import tell
from primeur.broker.papers import CapacityRequest, Commitment
from primeur.broker.register import Kind, changed, lines_of
from primeur.broker.rights import DAY_MS, HOUR_MS, Right, RightState
from primeur.broker.terms import Terms, hash_terms
from primeur.core.errors import Conflict, PrimeurError
from primeur.store.database import Tx

TERMS = Terms(6, 100, 0, DAY_MS)
RIGHT = Right("rgt", 1, "us", "holder", 0, 90 * DAY_MS, state=RightState.DRAFT, sale_window_ms=3 * DAY_MS)
HASH = hash_terms(TERMS)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "send", "receive", "answer", "close", "third", "suspend", "resume", "wait"]),
        st.integers(0, 2),
        st.integers(-2 * HOUR_MS, 80 * HOUR_MS),
        st.sampled_from(list(Answer)),
    ),
    max_size=25,
)


def command(step, number, word):
    key = f"{step}{number}"
    return {
        "open": OpenRequest(key, f"q{number}", TERMS),
        "send": SendOffer(key, f"o{number}", f"q{number}", TERMS),
        "receive": ReceiveNotice(key, f"o{number}", HASH),
        "answer": AnswerOffer(f"{key}{word}", f"o{number}", HASH, word, 2 if word is Answer.ACCEPT else None),
        "close": CloseOffer(key, f"o{number}", f"c{number}"),
        "third": CommitThird(key, f"t{number}", f"q{number}", "other", replace(TERMS, units=4), f"o{number}/released"),
        "suspend": MoveRight(f"{key}s", "suspend"),
        "resume": MoveRight(f"{key}r", "resume"),
    }.get(step)


def write(tx: Tx, say, now_ms: int) -> Kept:
    """As the walk does it: replay, tell, keep the command and what changed, or only let time pass."""
    before = load_book(tx, "b", to_write=True)
    book = at(before.book, now_ms) if say is None else tell(before.book, say, now_ms)
    kept = replace(before, book=book)
    if say is not None and say.key not in before.book.told:
        kept = add_command(tx, kept, say, "somebody")
    keep_lines(tx, kept, changed(before.book, book), now_ms)
    return kept


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_rows_follow_from_commands_and_the_time_in_any_order(store, steps):
    """State = f(events, now), quantity, priority, idempotency and clocks that jump, over the stored version."""
    shown: list[Kept] = []

    def story(tx: Tx) -> None:
        add_book(tx, "b", "first", Arrangements(), 0)
        write(tx, GrantRight("grant", RIGHT), 1)
        write(tx, MoveRight("activate", "activate"), 1)
        now_ms = 1
        for step, number, passed_ms, word in steps:
            now_ms = max(0, now_ms + passed_ms)
            try:
                with tx.begin_nested():
                    shown.append(write(tx, command(step, number, word), now_ms))
            except PrimeurError:
                continue
        # Whatever happened, a book that nobody has seen yet says the same as its rows.
        whole = load_book(tx, "b")
        rows = {row.line.id: row.line for kind in Kind for row in list_papers(tx, kind)}
        assert rows == lines_of(whole.book)
        assert not shown or shown[-1].book == whole.book
        check(whole.book)

    store.transact_now(lambda tx: _undone(tx, story))


def _undone(tx: Tx, story) -> None:
    """Run a story and leave no trace: the next example finds an empty database."""
    nested = tx.begin_nested()
    try:
        story(tx)
    finally:
        nested.rollback()


def check(book: Book) -> None:
    """Quantity and priority."""
    for request in book.requests.values():
        mine = [one.terms.units for one in book.commitments.values() if one.request == request.id]
        assert request.units == request.committed + request.residual + request.cancelled
        assert request.committed == sum(mine)
    for one in book.commitments.values():
        if one.provider == "other":
            assert book.releases[one.release].request == one.request
            assert book.releases[one.release].consumed >= one.terms.units


def test_a_book_is_due_when_its_first_paper_is(store):
    """The worker finds it by the clock alone; a key that was used for something else is a conflict in the rows too."""

    def story(tx: Tx) -> None:
        add_book(tx, "b", "first", Arrangements(), 0)
        write(tx, GrantRight("grant", RIGHT), 1)
        write(tx, MoveRight("activate", "activate"), 1)
        for one in ("open", "send", "receive"):
            write(tx, command(one, 0, Answer.ACCEPT), 2)
        deadline_ms = 2 + RIGHT.response_ms
        assert books_due(tx, deadline_ms - 1) == []
        assert books_due(tx, deadline_ms) == ["b"]
        write(tx, None, deadline_ms)
        (offer,) = list_papers(tx, Kind.OFFER)
        (window,) = list_papers(tx, Kind.WINDOW, state="open")
        assert (offer.line.state, window.line.due_ms) == ("lapsed", deadline_ms + RIGHT.sale_window_ms)
        with pytest.raises(Conflict, match="used for another command"):
            write(tx, OpenRequest("send0", "q9", TERMS), deadline_ms)
        (request,) = list_papers(tx, Kind.REQUEST)
        assert isinstance(request.line.paper, CapacityRequest)
        assert [row for row in list_papers(tx, Kind.COMMITMENT) if isinstance(row.line.paper, Commitment)] == []

    store.transact_now(story)
