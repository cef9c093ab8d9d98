"""The promises of procurement over stored rows: real walks, a clock that is handed in, and faults at any moment."""

import asyncio
from dataclasses import replace
from shutil import copyfile

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from primeur.broker.arrangements import Arrangements
from primeur.broker.book_rows import list_papers, load_book
from primeur.broker.commands import Answer, AnswerOffer
from primeur.broker.papers import OfferState, ReleaseState
from primeur.broker.register import Kind, lines_of
from primeur.broker.rights import DAY_MS, HOUR_MS
from primeur.broker.terms import Terms, more_favourable
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, Conflict, NotFound
from primeur.governance import rules
from primeur.limits.memory import MemoryLimiter
from primeur.store.database import Store
from primeur.walks.commit_capacity import commit_third, give_back
from primeur.walks.grant_right import Amendment, NewRight, amend_right, grant_right
from primeur.walks.house import House, Place
from primeur.walks.request_capacity import (
    amend_offer,
    answer_offer,
    cancel_request,
    close_offer,
    open_request,
    send_offer,
    withdraw_offer,
)
from primeur.walks.watch_capacity import move_on

OWNER = Caller("key_test", "prj", "org", "owner", rules.roles["owner"])
ASKED = Terms(10, 100, 0, DAY_MS)
RIGHT = NewRight(
    name="first", holder="holder", tolerance_percent=5, sale_window_ms=5 * DAY_MS, expires_ms=1_900_000_000_000,
    arrangements=Arrangements(closes="by_hand"),
)  # fmt: skip
TAKEN = {OfferState.ACCEPTED, OfferState.PARTLY_ACCEPTED, OfferState.CLOSED, OfferState.FAILED_TO_CLOSE}
ASKING = {OfferState.NOTICED, OfferState.OPEN}


class Promises(RuleBasedStateMachine):
    """Tell the house anything at any time, twice, too late or after a restart, and read what its rows say."""

    requests = Bundle("requests")
    offers = Bundle("offers")

    def __init__(self, house, loop):
        super().__init__()
        self.house, self.loop, self.clock, self.count = house, loop, house.clock, 0
        self.keys, self.accepts, self.resolved, self.triggers = [], set(), {}, {}

    # --- telling --------------------------------------------------------------------------------------------------

    def papers(self, kind=None):
        def read(tx):
            return {row.line.id: row.line for one in Kind for row in list_papers(tx, one) if kind in {None, one}}

        return self.house.store.read_now(read)

    def paper(self, kind, name):
        return self.papers(kind)[name].paper

    def worker(self):
        self.loop.run_until_complete(move_on(self.house))

    def say(self, walk, *words, **more):
        """Tell it twice under one key (a duplicate delivery); what is refused changes nothing."""
        self.worker()
        before = self.papers()
        try:
            made = self.loop.run_until_complete(walk(*words, **more))
        except (Conflict, BadRequest, NotFound):
            assert self.papers() == before, "what is refused changes nothing"
            return None
        after = self.papers()
        assert self.loop.run_until_complete(walk(*words, **more)) is not None
        assert self.papers() == after, "every command is idempotent by its key"
        return made

    def key(self):
        self.count += 1
        self.keys.append(f"key{self.count}")
        return self.keys[-1]

    @initialize()
    def grant(self):
        assert self.say(grant_right, self.house, OWNER, replace_key(RIGHT, "grant")) is not None
        self.book_id = next(iter(self.papers(Kind.RIGHT)))

    # --- what parties do ------------------------------------------------------------------------------------------

    @rule(target=requests, units=st.integers(1, 20))
    def open(self, units):
        made = self.say(open_request, self.house, OWNER, replace(ASKED, units=units), self.key())
        if made is None:
            return multiple()
        right = made[0].book.right
        self.triggers[made[1]] = right.version if right is not None else None
        return made[1]

    @rule(target=offers, request=requests, units=st.none() | st.integers(1, 20), price=st.integers(95, 105))
    def send(self, request, units, price):
        self.worker()
        paper = self.paper(Kind.REQUEST, request)
        taken = self.spoken_for(request)
        terms = None if units is None else replace(ASKED, units=units, unit_price_nanos=price)
        made = self.say(send_offer, self.house, OWNER, request, terms, self.key())
        if made is None:
            return multiple()
        units = self.paper(Kind.OFFER, made[1]).terms.units
        assert units <= paper.residual - taken, "units under an open offer are open to nobody else"
        return made[1]

    @rule(offer=offers, price=st.integers(95, 105))
    def amend(self, offer, price):
        old = self.paper(Kind.OFFER, offer)
        terms = replace(old.terms, unit_price_nanos=price)
        if self.say(amend_offer, self.house, OWNER, offer, terms, self.key()) is not None:
            new = self.paper(Kind.OFFER, offer)
            assert (new.hash != old.hash, new.version) == (True, old.version + 1), "a material change makes a new hash"
            period_ms = self.right_of(new.request).reoffer_ms
            assert new.deadline_ms == self.moment() + period_ms, "and a new clock"

    @rule(offer=offers, word=st.sampled_from(list(Answer)), units=st.none() | st.integers(1, 20), old=st.booleans())
    def answer(self, offer, word, units, old):
        """Also too late, and to terms that are no more."""
        self.worker()
        paper = self.paper(Kind.OFFER, offer)
        digest = "0" * 64 if old else paper.hash
        said = AnswerOffer(self.key(), offer, digest, word, units, ASKED if word is Answer.COUNTER else None)
        late = paper.deadline_ms is not None and self.moment() >= paper.deadline_ms
        told = self.say(answer_offer, self.house, "holder", said) is not None
        assert not (told and late), "a late acceptance never revives"
        assert not (told and old), "an answer names the terms it answers"
        if told and word is Answer.ACCEPT:
            self.accepts.add(offer)

    @rule(offer=offers, failed=st.booleans())
    def close(self, offer, failed):
        self.say(close_offer, self.house, OWNER, offer, self.key(), failed=failed)

    @rule(offer=offers)
    def withdraw(self, offer):
        self.say(withdraw_offer, self.house, OWNER, offer, self.key())

    @rule(request=requests, unmet=st.booleans())
    def cancel(self, request, unmet):
        self.say(cancel_request, self.house, OWNER, request, self.key(), unmet=unmet)

    @rule(request=requests, data=st.data(), units=st.integers(1, 12), price=st.integers(95, 112))
    def third(self, request, data, units, price):
        """Commit somebody else, on any window there is or on none."""
        self.worker()
        windows = self.papers(Kind.WINDOW)
        name = data.draw(st.sampled_from([None, *windows]))
        terms = replace(ASKED, units=units, unit_price_nanos=price)
        if self.say(commit_third, self.house, OWNER, request, "third", terms, name, self.key()) is not None:
            assert name is not None, "priority: a third party needs a release window"
            window = windows[name].paper
            assert (window.state, window.request) == (ReleaseState.OPEN, request), "a waiver is narrow"
            assert window.opens_ms <= self.moment() < window.expires_ms, "priority: unexpired"
            assert units <= window.left, "priority: covering quantity"
            assert not more_favourable(terms, window.ceiling, RIGHT.tolerance_percent), "priority: covering terms"

    @precondition(lambda self: self.papers(Kind.WINDOW))
    @rule(data=st.data())
    def give_back(self, data):
        name = data.draw(st.sampled_from(sorted(self.papers(Kind.WINDOW))))
        self.say(give_back, self.house, OWNER, name, self.key())

    @rule(hours=st.integers(1, 100), block=st.sampled_from([None, 1, 4]))
    def amend_right(self, hours, block):
        """The next version; what was opened before goes on under the one before."""
        asked = Amendment(changes={"response_ms": hours * HOUR_MS, "partial_block": block}, key=self.key())
        self.say(amend_right, self.house, OWNER, "first", asked)

    # --- faults ---------------------------------------------------------------------------------------------------

    @rule(hours=st.integers(-100, 200))
    def clock_jumps(self, hours):
        self.clock.ms += hours * HOUR_MS

    @rule()
    def restart(self):
        """The house forgets what it has replayed."""
        self.house.board.books.clear()

    @precondition(lambda self: self.keys)
    @rule(data=st.data())
    def replay_with_another_body(self, data):
        """A key that was used for something else is a conflict, and changes nothing."""
        self.worker()
        used = self.house.store.read_now(lambda tx: load_book(tx, self.book_id)).book.told
        names = sorted(set(used) & set(self.keys))
        if names:
            before = self.papers()
            body = replace(ASKED, units=999, sku="another")
            key = data.draw(st.sampled_from(names))
            with pytest.raises(Conflict, match="used for another command"):
                self.loop.run_until_complete(open_request(self.house, OWNER, body, key))
            assert self.papers() == before

    # --- what is true at any moment -------------------------------------------------------------------------------

    @invariant()
    def quantity(self):
        """Requested = committed + residual + cancelled."""
        papers = self.papers()
        commitments = [line.paper for line in papers.values() if line.kind is Kind.COMMITMENT]
        for line in papers.values():
            if line.kind is Kind.REQUEST:
                one = line.paper
                assert one.units == one.committed + one.residual + one.cancelled
                assert one.committed == sum(each.terms.units for each in commitments if each.request == one.id)
                assert min(one.committed, one.residual, one.cancelled) >= 0

    @invariant()
    def an_offer_resolves_at_most_once(self):
        for name, line in self.papers(Kind.OFFER).items():
            before = self.resolved.get(name)
            if before in TAKEN:
                assert line.state in TAKEN
            elif before is not None:
                assert line.state == before
            if line.state not in ASKING:
                self.resolved[name] = line.state

    @invariant()
    def silence_never_accepts_and_a_counter_never_accepts(self):
        """Only an acceptance that was told, in time, accepts."""
        assert {name for name, line in self.papers(Kind.OFFER).items() if line.state in TAKEN} == self.accepts

    @invariant()
    def the_version_in_force_at_trigger_governs(self):
        for name, version in self.triggers.items():
            assert self.paper(Kind.REQUEST, name).right_version == version

    @invariant()
    def state_is_a_function_of_events_and_now(self):
        """Whoever replays the commands finds what the rows say; jumps of the clock move nothing back."""
        if not self.papers(Kind.RIGHT):
            return
        self.worker()
        kept = self.house.store.read_now(lambda tx: load_book(tx, self.book_id))
        assert lines_of(kept.book) == self.papers()

    # --- reading --------------------------------------------------------------------------------------------------

    def moment(self):
        """The book's: the latest it was told."""
        kept = self.house.store.read_now(lambda tx: load_book(tx, self.book_id))
        return max(kept.book.now_ms, self.clock.ms)

    def right_of(self, request):
        book = self.house.store.read_now(lambda tx: load_book(tx, self.book_id)).book
        return book.right_of(book.requests[request])

    def spoken_for(self, request):
        """Units of a request that the holder is asked for, has taken without signing, or let go."""
        offers = [line.paper for line in self.papers(Kind.OFFER).values() if line.request == request]
        asked = sum(one.terms.units for one in offers if one.state in ASKING)
        taken = sum(one.accepted for one in offers if one.state in {OfferState.ACCEPTED, OfferState.PARTLY_ACCEPTED})
        windows = [line.paper for line in self.papers(Kind.WINDOW).values() if line.request == request]
        return asked + taken + sum(window.left for window in windows)


def replace_key(right, key):
    values = {name: getattr(right, name) for name in right.__struct_fields__}
    return NewRight(**values | {"key": key})


def test_the_promises_hold_over_stored_rows_whatever_comes(tables, tmp_path, clock, entropy):
    """Quantity, priority, one resolution, keys, replay, silence, counters, lateness, hashes, versions, waivers."""
    loop, start, count = asyncio.new_event_loop(), clock.ms, 0
    stores = []

    def begin():
        nonlocal count
        count += 1
        clock.ms = start
        stores.append(Store(f"sqlite:///{copyfile(tables, tmp_path / f'{count}.db')}"))
        house = House(
            clock=clock, entropy=entropy, store=stores[-1], journal=None, relay=None, limiter=MemoryLimiter(clock),
            host=None, engines={}, providers={}, place=Place(tmp_path, b"p" * 32, cores=2, memory_bytes=1 << 30),
        )  # fmt: skip
        return Promises(house, loop)

    try:
        # Without shrinking: a failure is found in seconds, and would be made smaller for minutes.
        plan = settings(max_examples=8, stateful_step_count=15, deadline=None, phases=[Phase.generate])
        run_state_machine_as_test(begin, settings=plan)
    finally:
        for one in stores:
            one.close()
        loop.close()
