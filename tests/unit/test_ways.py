"""What is worked out once per snapshot says what asking each time would have said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.caller import Caller
from primeur.core.chat import OPENAI_PATHS, Ask, Deployment, Dialect, Endpoint, Route, Target
from primeur.core.errors import PrimeurError, UnknownModel
from primeur.core.wire import ChatRequest, EmbeddingRequest, Message
from primeur.registry.routing import order_targets
from primeur.registry.ways import check_allowed, find_way

RARE = ["logit_bias", "seed", "top_k", "grammar"]


def target(number, share, refused=(), accepted=(), route=Route.CHAT):
    refuses = {Route.CHAT: dict.fromkeys(refused, "it cannot")}
    dialect = Dialect("d", OPENAI_PATHS, refuses=refuses, accepts=frozenset(accepted))
    endpoint = Endpoint("http", "h", 1)
    return Target(f"rev_{number}", f"p{number}", endpoint, dialect, "m", frozenset({route}), share)


def asked(name="a", ask_id="req_1", affinity=None, **said):
    fields = ChatRequest(model=name, messages=[Message("user", "hi")], **said)
    return Ask(ask_id, Route.CHAT, b"{}", fields, 0, 0, affinity=affinity)


def outcome(order, *words):
    try:
        return order(*words)
    except PrimeurError as error:
        return error.message


targets = st.lists(
    st.builds(
        target,
        st.integers(1, 9),
        st.integers(0, 3),
        st.sets(st.sampled_from(RARE)),
        st.sets(st.sampled_from(RARE)),
        st.sampled_from([Route.CHAT, Route.EMBEDDINGS]),
    ),
    max_size=4,
    unique_by=lambda one: one.revision_id,
)
values = {"logit_bias": {"1": 1.0}, "seed": 7, "top_k": 3, "grammar": "root"}


@given(targets, st.sets(st.sampled_from(RARE)), st.text(max_size=8), st.none() | st.text(min_size=1, max_size=8))
def test_the_order_is_the_one_that_would_have_been_drawn(found, said, ask_id, affinity):
    """And the refusal too."""
    deployment = Deployment("a", "m", 0, tuple(found))
    ask = asked(ask_id=ask_id, affinity=affinity, **{name: values[name] for name in said})
    way = find_way({"a": deployment}, Route.CHAT, "a")
    assert outcome(way.order, ask) == outcome(order_targets, deployment, ask)


def test_embeddings_may_be_made_elsewhere():
    """The deployment that was named is the one that has to be allowed."""
    makes = Deployment("vectors", "v", 0, (target(1, 1, route=Route.EMBEDDINGS),))
    named = Deployment("chat", "m", 0, (target(2, 1),), embeddings_by="vectors")
    way = find_way({"chat": named, "vectors": makes}, Route.EMBEDDINGS, "chat")
    ask = Ask("req_1", Route.EMBEDDINGS, b"{}", EmbeddingRequest(model="chat", input="x"), 0, 0)
    assert (way.name, way.deployment, way.order(ask)) == ("chat", makes, list(makes.targets))


@pytest.mark.parametrize("allowed", [None, frozenset({"a"})])
def test_a_name_that_is_not_there_reads_as_one_that_is_not_allowed(allowed):
    """Nobody learns what exists."""
    way = find_way({"a": Deployment("a", "m", 0, ())}, Route.CHAT, "a")
    check_allowed(way, Caller("k", "p", "o", "n", frozenset(), deployments=allowed), asked())
    stranger = Caller("k", "p", "o", "n", frozenset(), deployments=frozenset({"b"}))
    with pytest.raises(UnknownModel) as shut:
        check_allowed(way, stranger, asked())
    with pytest.raises(UnknownModel) as missing:
        find_way({}, Route.CHAT, "a")
    assert shut.value.message == missing.value.message
