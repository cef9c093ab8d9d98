"""What a mould casts reads as the event that it stands for."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.caller import Caller
from primeur.core.chat import OPENAI_PATHS, Ask, Dialect, Endpoint, Route, Served, Target
from primeur.core.price import Price
from primeur.core.usage import Usage, UsageEvent
from primeur.core.wire import ChatRequest, Message
from primeur.metering.moulds import EventMould

NUMBERS = st.integers(0, (1 << 63) - 1)
WORDS = st.text(max_size=300)
FIELDS = ChatRequest(model="m", messages=[Message("user", "hi")])


@given(
    st.tuples(WORDS, WORDS, WORDS, WORDS, WORDS),
    st.lists(NUMBERS, min_size=8, max_size=8),
    st.one_of(st.none(), NUMBERS),
    st.text("0123456789abcdef:.", max_size=45),
)
def test_a_cast_event_is_the_event(words, numbers, cost, address):
    """Whatever the names and however large the numbers, priced or not."""
    project, key, deployment, revision, provider = words
    price = None if cost is None else Price("price_1", "EUR", 1, 1, 1)
    target = Target(
        revision, provider, Endpoint("http", "x", 80), Dialect("plain", OPENAI_PATHS), "m", frozenset({Route.CHAT})
    )
    ask = Ask("req_" + "0" * 26, Route.CHAT, b"{}", FIELDS, numbers[0], 0, address)
    caller = Caller(key, project, "org", "name", frozenset())
    mould = EventMould(caller, Served(deployment, target, price), ask)
    usage = Usage(*numbers[1:5])
    cast = mould.cast(ask, usage, cost, *numbers[5:8])
    assert msgspec.msgpack.decode(cast, type=UsageEvent) == UsageEvent(
        id=ask.id,
        at_ms=ask.arrived_ms,
        route="chat",
        outcome="completed",
        status=200,
        project_id=project,
        key_id=key,
        deployment=deployment,
        revision_id=revision,
        provider=provider,
        usage=usage,
        cost_nanos=cost,
        currency=price and price.currency,
        price_id=price and price.id,
        first_token_us=numbers[5],
        duration_us=numbers[6],
        overhead_us=numbers[7],
        address=address,
    )
