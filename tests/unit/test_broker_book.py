"""The papers of procurement keep their promises in any order of commands and at any time."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, precondition, rule

from primeur.broker.book import Book, at
from primeur.broker.commands import (
    AmendCommitment,
    AmendOffer,
    Answer,
    AnswerOffer,
    CancelCommitment,
    CancelRequest,
    CloseOffer,
    CommitThird,
    ExhaustCommitment,
    GiveBack,
    OpenRequest,
    ReceiveNotice,
    SendOffer,
    WithdrawOffer,
)
from primeur.broker.dealings import replay, tell
from primeur.broker.papers import (
    COMMITMENT,
    OFFER,
    RELEASE,
    REQUEST,
    CommitmentState,
    OfferState,
    ReleaseState,
    RequestState,
)
from primeur.broker.rights import DAY_MS, HOUR_MS, RIGHT, Mode, Right, RightState, Scope, amend, version_at
from primeur.broker.terms import Terms, hash_terms, more_favourable
from primeur.core.errors import BadRequest, Conflict, NotFound

START = 1_000_000
FIRST = Right("r", 1, "us", "holder", 0, 400 * DAY_MS, tolerance_percent=5, sale_window_ms=5 * DAY_MS)
SECOND = replace(FIRST, version=2, effective_ms=20 * DAY_MS, response_ms=HOUR_MS, partial_block=4)
ASKED = Terms(10, 100, 0, DAY_MS)
PROMISING = {OfferState.ACCEPTED, OfferState.PARTLY_ACCEPTED, OfferState.CLOSED, OfferState.FAILED_TO_CLOSE}
DROPPED = {CommitmentState.SUPERSEDED, CommitmentState.CANCELED}
RESOLVED = frozenset(OFFER.states) - {OfferState.PREPARED, OfferState.NOTICED, OfferState.OPEN}


class Papers(RuleBasedStateMachine):
    """Tell a book anything, at any time, and look whether its promises hold."""

    requests = Bundle("requests")
    offers = Bundle("offers")

    def __init__(self):
        super().__init__()
        self.start = Book((FIRST, SECOND))
        self.book = self.start
        self.log, self.now_ms, self.count = [], START, 0
        self.accepts, self.resolved, self.notices = set(), {}, {}

    def tell(self, command):
        """Tell it twice: the second time must change nothing; another body under the key is a conflict."""
        before = self.book
        try:
            after = tell(self.book, command, self.now_ms)
        except (Conflict, BadRequest, NotFound):
            assert self.book == before
            return False
        assert tell(after, command, self.now_ms + DAY_MS) == after
        other = OpenRequest(command.key, "another body", ASKED)
        with pytest.raises(Conflict, match="was used for another command"):
            tell(after, other, self.now_ms)
        self.log.append((self.now_ms, command))
        self.book = after
        return True

    def name(self):
        self.count += 1
        return f"n{self.count}"

    @rule(hours=st.integers(-50, 200))
    def pass_time(self, hours):
        self.now_ms = max(0, self.now_ms + hours * HOUR_MS)

    @rule(target=requests, units=st.integers(1, 20))
    def open_request(self, units):
        name = self.name()
        return name if self.tell(OpenRequest(self.name(), name, replace(ASKED, units=units))) else multiple()

    @rule(request=requests, unmet=st.booleans())
    def cancel(self, request, unmet):
        self.tell(CancelRequest(self.name(), request, unmet))

    @rule(target=offers, request=requests, units=st.integers(1, 20), price=st.integers(90, 110))
    def send_offer(self, request, units, price):
        paper = at(self.book, self.now_ms).requests[request]
        free = at(self.book, self.now_ms).free_units(paper)
        name = self.name()
        sent = self.tell(SendOffer(self.name(), name, request, replace(ASKED, units=units, unit_price_nanos=price)))
        assert not (sent and units > free), "units under an open offer are open to nobody else"
        return name if sent else multiple()

    @rule(offer=offers, right_hash=st.sampled_from([True, True, True, False]))
    def receive(self, offer, right_hash):
        digest = self.book.offers[offer].hash if right_hash else "0" * 64
        if self.tell(ReceiveNotice(self.name(), offer, digest)):
            assert (self.book.offers[offer].state == OfferState.OPEN) == right_hash

    @rule(offer=offers, price=st.integers(90, 110))
    def amend(self, offer, price):
        old = self.book.offers[offer]
        if self.tell(AmendOffer(self.name(), offer, replace(old.terms, unit_price_nanos=price))):
            new = self.book.offers[offer]
            assert new.hash != old.hash, "a material change makes a new hash"
            assert (new.version, new.deadline_ms) == (old.version + 1, None), "and a new clock"

    @rule(offer=offers)
    def withdraw(self, offer):
        self.tell(WithdrawOffer(self.name(), offer))

    @rule(offer=offers, answer=st.sampled_from(list(Answer)), units=st.none() | st.integers(1, 20))
    def answer(self, offer, answer, units):
        paper = self.book.offers[offer]
        late = paper.deadline_ms is not None and max(self.now_ms, self.book.now_ms) >= paper.deadline_ms
        told = self.tell(AnswerOffer(self.name(), offer, paper.hash, answer, units, paper.terms))
        assert not (told and late), "a late acceptance never revives"
        if told and answer is Answer.ACCEPT:
            self.accepts.add(offer)

    @rule(offer=offers, failed=st.booleans())
    def close(self, offer, failed):
        self.tell(CloseOffer(self.name(), offer, self.name(), failed))

    @rule(target=offers, request=requests, answer=st.sampled_from([None, *Answer]), units=st.integers(1, 20))
    def deal(self, request, answer, units):
        """Offer all that is free and let the holder answer, or be silent: the way most requests go."""
        free = at(self.book, self.now_ms).free_units(self.book.requests[request])
        offer = self.send_offer(request, max(1, free), 100)
        if not isinstance(offer, str):
            return multiple()
        self.receive(offer, right_hash=True)
        if answer is not None:
            self.answer(offer, answer, units)
        return offer

    @precondition(lambda self: self.book.releases)
    @rule(data=st.data())
    def give_back(self, data):
        self.tell(GiveBack(self.name(), data.draw(st.sampled_from(list(self.book.releases)))))

    @rule(request=requests, units=st.integers(1, 20))
    def commit_without_release(self, request, units):
        self.take(request, units, 100, None)

    @precondition(lambda self: self.book.releases)
    @rule(data=st.data(), price=st.integers(90, 112), beyond=st.booleans())
    def commit_third(self, data, price, beyond):
        window = at(self.book, self.now_ms).releases[data.draw(st.sampled_from(list(self.book.releases)))]
        units = data.draw(st.integers(1, max(1, window.left))) + beyond * window.left
        self.take(window.request, units, price, window.id)

    def take(self, request, units, price, release):
        now = at(self.book, self.now_ms)
        terms = replace(ASKED, units=units, unit_price_nanos=price)
        governed = now.requests[request].right_version is not None
        if self.tell(CommitThird(self.name(), self.name(), request, "third", terms, release)) and governed:
            window = now.releases[release]
            assert window.state == ReleaseState.OPEN, "priority: no third party without an unexpired release window"
            assert window.expires_ms > self.book.now_ms
            assert window.left >= units, "covering the quantity"
            assert not more_favourable(terms, window.ceiling, FIRST.tolerance_percent), "and the terms"
            assert window.request == request, "a waiver is narrow"

    @precondition(lambda self: self.book.commitments)
    @rule(data=st.data(), units=st.integers(1, 20), price=st.integers(90, 112), days=st.integers(0, 4))
    def amend_commitment(self, data, units, price, days):
        old = data.draw(st.sampled_from(list(self.book.commitments.values())))
        terms = replace(old.terms, units=units, unit_price_nanos=price, term_ms=max(1, days * DAY_MS))
        name = self.name()
        if self.tell(AmendCommitment(self.name(), old.id, name, terms)):
            made = self.book.commitments[name]
            assert self.book.commitments[old.id].state == CommitmentState.SUPERSEDED
            assert made.provider == old.provider, "another party is another commitment"
            assert made.terms.units <= old.terms.units, "an amendment adds no units"
            if old.release is not None:
                window, first = self.book.releases[old.release], old
                while first.replaces:
                    first = self.book.commitments[first.replaces]
                whole = replace(made.terms, term_ms=made.end_ms - min(first.terms.start_ms, made.terms.start_ms))
                assert not more_favourable(whole, window.ceiling, FIRST.tolerance_percent), "nor better terms later"

    @precondition(lambda self: self.book.commitments)
    @rule(data=st.data(), exhausts=st.booleans())
    def end_commitment(self, data, exhausts):
        old = data.draw(st.sampled_from(list(at(self.book, self.now_ms).commitments.values())))
        end = ExhaustCommitment(self.name(), old.id, 1) if exhausts else CancelCommitment(self.name(), old.id)
        if self.tell(end):
            assert old.state in {CommitmentState.PENDING, CommitmentState.ACTIVE}, "what has ended stays ended"
            assert not exhausts or old.state == CommitmentState.ACTIVE, "nothing is used of what has not begun"

    @precondition(lambda self: self.log)
    @rule(back=st.integers(0, 10_000))
    def jump_back(self, back):
        assert at(self.book, self.book.now_ms - back) == at(self.book, self.book.now_ms), "clocks do not go back"

    @invariant()
    def quantity(self):
        """Requested = committed + residual + cancelled, and the commitments are what is committed."""
        book = at(self.book, self.now_ms)
        for request in book.requests.values():
            mine = [
                c.terms.units for c in book.commitments.values() if c.request == request.id and c.state not in DROPPED
            ]
            assert request.units == request.committed + request.residual + request.cancelled
            assert request.committed == sum(mine)
            assert min(request.residual, request.cancelled, request.committed) >= 0
            if request.state not in {RequestState.CANCELLED, RequestState.UNMET}:
                assert book.free_units(request) >= 0

    @invariant()
    def an_offer_resolves_at_most_once(self):
        """Accepted ones close or fail; nothing else moves after it was resolved."""
        for offer in at(self.book, self.now_ms).offers.values():
            before = self.resolved.get(offer.id)
            if before in PROMISING:
                assert offer.state in PROMISING
            elif before is not None:
                assert offer.state == before
        # What a clock showed that jumped back before anything was told is not kept here; rows keep it.
        self.resolved |= {one.id: one.state for one in self.book.offers.values() if one.state in RESOLVED}

    @invariant()
    def silence_and_counters_never_accept(self):
        """Only a told acceptance accepts."""
        for offer in at(self.book, self.now_ms).offers.values():
            assert (offer.state in PROMISING) == (offer.id in self.accepts)

    @invariant()
    def no_offer_is_open_after_its_deadline(self):
        """Deadlines move by themselves, whoever looks."""
        book = at(self.book, self.now_ms)
        for offer in book.offers.values():
            assert offer.state != OfferState.OPEN or offer.deadline_ms > book.now_ms

    @invariant()
    def the_version_in_force_at_trigger_governs(self):
        """Whatever happens to the right later."""
        for request in self.book.requests.values():
            assert request.right_version == (2 if request.trigger_ms >= SECOND.effective_ms else 1)

    @invariant()
    def state_follows_from_events_and_now(self):
        """A replay of what was told gives the same book, looked at or not in between."""
        assert replay(self.start, self.log, self.now_ms) == at(self.book, self.now_ms)


TestPapers = Papers.TestCase
TestPapers.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def offered(right=FIRST, units=10, bid=None):
    """Give a book with one request and one open offer."""
    book = tell(Book((right,)), OpenRequest("k1", "q", replace(ASKED, units=units)), START)
    book = tell(book, SendOffer("k2", "o", "q", replace(ASKED, units=units), bid), START)
    return tell(book, ReceiveNotice("k3", "o", book.offers["o"].hash), START)


def test_silence_lapses_at_the_deadline_and_opens_a_release():
    """Nobody needs to look: the window opens at the deadline, not when it is noticed."""
    deadline = START + FIRST.response_ms
    book = at(offered(), deadline + 7 * HOUR_MS)
    assert at(offered(), deadline - 1).offers["o"].state == OfferState.OPEN
    assert book.offers["o"].state == OfferState.LAPSED
    assert (book.releases["o/released"].units, book.releases["o/released"].opens_ms) == (10, deadline)


def test_a_part_accepted_releases_only_the_rest():
    """Four are the holder's; six may go to others, at no better terms."""
    book = offered()
    book = tell(book, AnswerOffer("k4", "o", book.offers["o"].hash, Answer.ACCEPT, 4), START)
    book = tell(book, CloseOffer("k5", "o", "c1"), START)
    with pytest.raises(Conflict, match="6 units left"):
        tell(book, CommitThird("k6", "c2", "q", "third", replace(ASKED, units=7), "o/released"), START)
    dear = replace(ASKED, units=6, unit_price_nanos=106)
    with pytest.raises(Conflict, match="unit_price_nanos"):
        tell(book, CommitThird("k6", "c2", "q", "third", dear, "o/released"), START)
    book = tell(book, CommitThird("k6", "c2", "q", "third", replace(ASKED, units=6), "o/released"), START)
    assert book.requests["q"].state == RequestState.COMMITTED


def test_an_expired_release_revives_the_right():
    """What is left of it can only be offered to the holder again."""
    book = at(offered(), START + FIRST.response_ms + FIRST.sale_window_ms)
    assert book.free_units(book.requests["q"]) == 10
    with pytest.raises(Conflict, match="expired with 0 units left"):
        tell(book, CommitThird("k6", "c2", "q", "third", ASKED, "o/released"), book.now_ms)
    assert tell(book, SendOffer("k7", "o2", "q", ASKED), book.now_ms).offers["o2"].state == OfferState.NOTICED


def test_an_answer_to_old_terms_is_refused():
    """Who answers must have read what is asked now."""
    book = offered()
    old = book.offers["o"].hash
    book = tell(book, AmendOffer("k4", "o", replace(ASKED, unit_price_nanos=99)), START)
    book = tell(book, ReceiveNotice("k5", "o", book.offers["o"].hash), START)
    with pytest.raises(Conflict, match="at version 2"):
        tell(book, AnswerOffer("k6", "o", old, Answer.ACCEPT), START)
    assert book.offers["o"].deadline_ms == START + FIRST.reoffer_ms


def test_all_or_nothing_and_blocks_are_kept_to():
    """Partial acceptance is part of the right."""
    for block, units in ((None, 4), (3, 4)):
        book = offered(replace(FIRST, partial_block=block))
        with pytest.raises(BadRequest, match="not 4"):
            tell(book, AnswerOffer("k4", "o", book.offers["o"].hash, Answer.ACCEPT, units), START)


def test_a_match_needs_a_sealed_bid():
    """In match mode the best binding bid comes first."""
    right = replace(FIRST, mode=Mode.MATCH)
    with pytest.raises(Conflict, match="sealed bids"):
        offered(right)
    assert offered(right, bid="third").offers["o"].bid == "third"


def test_what_no_right_covers_is_committed_freely():
    """Carve-outs, small requests and times before the right need no offer."""
    right = replace(FIRST, scope=Scope(minimum_units=11))
    book = tell(Book((right,)), OpenRequest("k1", "q", ASKED), START)
    book = tell(book, CommitThird("k2", "c", "q", "third", ASKED), START)
    assert (book.requests["q"].right_version, book.commitments["c"].release) == (None, None)


def held():
    """Give a book in which a third party has six units that the holder let go, for a day."""
    book = offered()
    book = tell(book, AnswerOffer("k4", "o", book.offers["o"].hash, Answer.ACCEPT, 4), START)
    return tell(book, CommitThird("k5", "c", "q", "third", replace(ASKED, units=6), "o/released"), START)


def test_an_amended_commitment_takes_the_place_of_the_old_one():
    """It begins when it is agreed and keeps the end; units that it drops are cancelled in their request."""
    terms = replace(ASKED, units=5, unit_price_nanos=99)
    book = tell(held(), AmendCommitment("k6", "c", "d", terms), START + HOUR_MS)
    old, new = book.commitments["c"], book.commitments["d"]
    assert (old.state, old.ended_ms, new.state) == ("Superseded", START + HOUR_MS, "Active")
    assert (new.replaces, new.release, new.terms.start_ms, new.end_ms) == ("c", "o/released", START + HOUR_MS, DAY_MS)
    assert (book.requests["q"].committed, book.requests["q"].cancelled) == (5, 1)
    with pytest.raises(Conflict, match="Superseded cannot supersede"):
        tell(book, AmendCommitment("k7", "c", "e", replace(ASKED, units=4)), book.now_ms)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"units": 6}, "these terms already"),
        ({"units": 7}, "request more capacity"),
        ({"units": 6, "unit_price_nanos": 106}, "better terms than the holder was offered: unit_price_nanos"),
        ({"units": 6, "start_ms": START + HOUR_MS, "term_ms": DAY_MS * 2}, "better terms .*: term_ms"),
        ({"units": 6, "term_ms": 1}, "end in the past"),
    ],
)
def test_an_amendment_gives_a_third_party_no_more_than_the_holder_was_offered(terms, said):
    """What could not be agreed at first cannot be agreed later, nor in steps."""
    book = held()
    with pytest.raises((Conflict, BadRequest), match=said):
        tell(book, AmendCommitment("k6", "c", "d", replace(ASKED, **terms)), START)
    assert book.commitments["c"].state == "Active"


def test_a_commitment_is_cancelled_or_used_up_while_it_lasts():
    """And neither after its end."""
    cancelled = tell(held(), CancelCommitment("k6", "c"), START)
    assert (cancelled.commitments["c"].state, cancelled.requests["q"].cancelled) == ("Canceled", 6)
    assert tell(held(), ExhaustCommitment("k6", "c", 9), START).commitments["c"].state == "Exhausted"
    with pytest.raises(Conflict, match="Expired cannot exhaust"):
        tell(held(), ExhaustCommitment("k6", "c", 9), DAY_MS)
    with pytest.raises(NotFound, match="no commitment x"):
        tell(held(), CancelCommitment("k6", "x"), START)


def test_better_terms_for_a_third_party_are_named():
    """We buy: a higher price, longer term, larger prepayment or looser uptime is better for the supplier."""
    third = Terms(1, 106, 0, 2 * DAY_MS, 10, 9980)
    assert more_favourable(third, replace(ASKED, units=1), 5) == [
        "unit_price_nanos", "term_ms", "prepaid_percent", "uptime_points",
    ]  # fmt: skip
    assert more_favourable(replace(ASKED, unit_price_nanos=105), ASKED, 5) == []
    assert more_favourable(replace(ASKED, zone="us"), ASKED, 5) == ["zone"]


def test_every_field_of_the_terms_is_in_their_hash():
    """A change of any of them is material."""
    changes = {"units": 11, "unit_price_nanos": 1, "start_ms": 5, "term_ms": 5, "prepaid_percent": 5}
    changes |= {"uptime_points": 5, "currency": "USD", "sku": "x", "zone": "x", "workload_class": "x"}
    assert len({hash_terms(replace(ASKED, **{name: value})) for name, value in changes.items()}) == len(changes)
    assert set(changes) == set(Terms.__dataclass_fields__)


@pytest.mark.parametrize("wrong", [{"units": 0}, {"unit_price_nanos": -1}, {"term_ms": 0}, {"prepaid_percent": 101}])
def test_impossible_terms_are_refused(wrong):
    """An offer of nothing, or for less than nothing, is none."""
    with pytest.raises(BadRequest, match="terms: "):
        replace(ASKED, **wrong)


@pytest.mark.parametrize(
    ("machine", "ends"),
    [
        (RIGHT, {RightState.EXPIRED, RightState.RELEASED, RightState.TERMINATED}),
        (REQUEST, {"committed", "cancelled", "unmet"}),
        (RELEASE, {"consumed", "expired"}),
        (COMMITMENT, {"Exhausted", "Expired", "Canceled", "Superseded"}),
        (OFFER, {"declined", "countered", "lapsed", "waived", "withdrawn", "void", "closed", "failed_to_close"}),
    ],
)
def test_every_machine_ends_where_it_should(machine, ends):
    """Every other state has a way out, and an unknown state has none."""
    assert machine.ends == ends
    with pytest.raises(Conflict, match="possible: nothing"):
        machine.after("somewhere", "go")


def test_versions_of_a_right_follow_each_other():
    """An amendment is the next number; the newest effective one governs."""
    assert amend(FIRST, SECOND) is SECOND
    with pytest.raises(Conflict, match="amend it with version 2"):
        amend(FIRST, replace(SECOND, version=3))
    assert version_at((FIRST, SECOND), SECOND.effective_ms - 1) is FIRST
    assert version_at((FIRST, SECOND), SECOND.effective_ms) is SECOND
    assert version_at((), 0) is None
    with pytest.raises(BadRequest, match="ends before it begins"):
        replace(FIRST, expires_ms=0)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (OpenRequest("k9", "q", ASKED), "request q exists"),
        (SendOffer("k9", "o", "q", ASKED), "offer o exists"),
        (SendOffer("k9", "o9", "nowhere", ASKED), "no request nowhere"),
        (WithdrawOffer("k9", "nothing"), "no offer nothing"),
        (GiveBack("k9", "nothing"), "no release nothing"),
        (AmendOffer("k9", "o", ASKED), "these terms already"),
        (AmendOffer("k9", "o", replace(ASKED, units=11)), "0 free units, not 1"),
        (CancelRequest("k9", "q"), "offer under way"),
        (CloseOffer("k9", "o", "c"), "open cannot close"),
        (CommitThird("k9", "c", "q", "third", ASKED), "under a right"),
    ],
)
def test_what_the_papers_do_not_allow_is_refused_in_words(command, said):
    """It says which paper and what to do, and the book stays as it was."""
    book = offered()
    with pytest.raises((Conflict, NotFound, BadRequest), match=said):
        tell(book, command, START)


def test_an_offer_needs_a_right_and_a_commitment_its_own_name():
    """Outside any right there is nobody to ask first."""
    book = tell(Book(), OpenRequest("k1", "q", ASKED), START)
    with pytest.raises(Conflict, match="no right covered"):
        tell(book, SendOffer("k2", "o", "q", ASKED), START)
    book = tell(book, CommitThird("k3", "c", "q", "third", replace(ASKED, units=4)), START)
    with pytest.raises(Conflict, match="commitment c exists"):
        tell(book, CommitThird("k4", "c", "q", "third", replace(ASKED, units=4)), START)


def test_a_right_says_what_is_wrong_with_it():
    """Windows of no time, blocks of nothing, versions of another right."""
    with pytest.raises(BadRequest, match="above zero"):
        replace(FIRST, response_ms=0)
    with pytest.raises(BadRequest, match="partial block 1 or more"):
        replace(FIRST, partial_block=0)
    with pytest.raises(Conflict, match="cannot take effect before"):
        amend(SECOND, replace(SECOND, version=3, effective_ms=0))
    with pytest.raises(Conflict, match="versions must be of one right"):
        version_at((FIRST, FIRST), 0)
    with pytest.raises(BadRequest, match="uptime_points"):
        replace(ASKED, uptime_points=10_001)
    assert more_favourable(ASKED, replace(ASKED, start_ms=5), 0) == ["start_ms"]
