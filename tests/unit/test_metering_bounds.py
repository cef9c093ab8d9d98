"""What is held is never less than what is posted, whatever is asked and answered."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json as wire

from primeur.core.chat import OPENAI_PATHS, Ask, Dialect, Endpoint, Route, Target
from primeur.core.fan import answers_of
from primeur.core.price import Price
from primeur.core.usage import Usage
from primeur.core.wire import ChatRequest, CompletionRequest, EmbeddingRequest
from primeur.metering.bounds import PICTURE_TOKENS, TEMPLATE_TOKENS, output_cap, worst_cost
from primeur.metering.rules import charge

nanos = st.sampled_from([0, 1]) | st.integers(0, 10**9)
prices = st.builds(Price, st.just("price_1"), st.just("EUR"), nanos, nanos, nanos)
steps = st.builds(lambda first, begin, then: ((0, first), (begin, then)), nanos, st.integers(1, 10_000), nanos)
lengths = st.none() | st.integers(1, 100_000)
words = st.text(max_size=50)
picture = {"type": "image_url", "image_url": {"url": "https://example.org/x.png"}}


def target(context):
    return Target(
        "rev_1", "rack", Endpoint("http", "x", 1), Dialect("d", OPENAI_PATHS), "m", (), context_tokens=context
    )


def ask_for(route, kind, **body):
    written = json.dumps({"model": "m", **{name: value for name, value in body.items() if value is not None}}).encode()
    return Ask("req_1", route, written, wire.decode(written, type=kind), 0, 0)


@st.composite
def chats(draw):
    """A chat with pictures and its longest answers; gives the ask and the most tokens that its prompt can be."""
    texts = draw(st.lists(words, min_size=1, max_size=5))
    pictures = draw(st.integers(0, 2))
    messages = [{"role": "user", "content": text} for text in texts]
    if pictures:
        messages.append({"role": "user", "content": [picture] * pictures})
    lengths_said = {"max_tokens": draw(lengths), "max_completion_tokens": draw(lengths)}
    ask = ask_for(Route.CHAT, ChatRequest, messages=messages, n=draw(st.none() | st.integers(1, 5)), **lengths_said)
    said = lengths_said["max_completion_tokens"] or lengths_said["max_tokens"]
    bytes_most = sum(len(text.encode()) for text in texts)
    return ask, bytes_most + TEMPLATE_TOKENS + pictures * PICTURE_TOKENS, said, answers_of(ask.fields)


@st.composite
def completions(draw):
    """Prompts as text or tokens, with ``n`` and ``best_of``; a length of zero is one token with some engines."""
    prompt = draw(words | st.lists(words, min_size=1, max_size=4) | st.lists(st.integers(0, 9), min_size=1))
    wanted, said = draw(st.none() | st.integers(1, 4)), draw(st.none() | st.integers(0, 10_000))
    best = draw(st.none() | st.integers(wanted or 1, 20))
    ask = ask_for(Route.COMPLETIONS, CompletionRequest, prompt=prompt, n=wanted, best_of=best, max_tokens=said)
    parts = prompt if isinstance(prompt, list) else [prompt]
    prompts = len(parts) if isinstance(parts[0], str) else 1
    tokens = sum(len(part.encode()) + 1 if isinstance(part, str) else 1 for part in parts)
    return ask, tokens, None if said is None else max(said, 1), prompts * max(wanted or 1, best or 1)


@settings(max_examples=50)
@given(
    chats() | completions(), st.lists(st.none() | st.integers(1, 200_000), min_size=1, max_size=3), prices, st.data()
)
def test_what_is_held_is_never_less_than_what_is_posted(asked, contexts, price, data):
    """Over any price, context, length and usage; an answer of no stated length ends where it is cut."""
    ask, prompt_most, said, answers = asked
    targets = [target(one) for one in contexts]
    context = data.draw(st.sampled_from(contexts))
    longest = min(one for one in (said, output_cap(ask, targets), context) if one is not None)
    fresh = data.draw(st.integers(0, prompt_most if context is None else min(prompt_most, context)))
    usage = Usage(fresh, data.draw(st.integers(0, fresh)), data.draw(st.integers(0, longest * answers)))
    assert charge(usage, price) <= worst_cost(ask, targets, price)


@given(st.lists(words, min_size=1, max_size=5), prices)
def test_vectors_cost_no_more_than_is_held(texts, price):
    """They have no answer to pay for."""
    ask = ask_for(Route.EMBEDDINGS, EmbeddingRequest, input=texts)
    held = worst_cost(ask, [target(None)], price)
    assert charge(Usage(sum(len(text.encode()) + 2 for text in texts)), price) <= held


def test_without_a_price_nothing_is_known():
    """Not zero."""
    assert worst_cost(ask_for(Route.EMBEDDINGS, EmbeddingRequest, input="x"), [target(None)], None) is None
