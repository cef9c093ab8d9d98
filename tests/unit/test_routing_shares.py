"""Who is asked: a growing share moves callers one way only, and what is not up says when to come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from primeur.core.chat import OPENAI_PATHS, Ask, Deployment, Dialect, Endpoint, Route, Target
from primeur.core.errors import NotReady
from primeur.core.wire import ChatRequest
from primeur.registry.ways import Way

ENDPOINT = Endpoint("http", "127.0.0.1", 1)
DIALECT = Dialect("plain", OPENAI_PATHS)


def ask(affinity=None, request="req_1"):
    fields = ChatRequest(model="chat", messages=[])
    return Ask(id=request, route=Route.CHAT, body=b"{}", fields=fields, arrived_ms=0, arrived_us=0, affinity=affinity)


def way(share, sticky="conversation"):
    def target(name, part):
        return Target(name, "echo", ENDPOINT, DIALECT, "m", frozenset(Route), share=part)

    targets = (target("new", share), target("old", 100 - share))
    return Way("chat", Deployment("chat", "m", 0, targets, sticky=sticky), Route.CHAT)


@given(st.text(min_size=1), st.lists(st.integers(0, 100), min_size=2, max_size=6))
def test_who_has_the_new_revision_keeps_it_while_its_share_grows(conversation, shares):
    """Conversation by conversation."""
    served = [way(share).order(ask(conversation))[0].revision_id == "new" for share in sorted(shares)]
    assert served == sorted(served)


@given(st.text(min_size=1), st.text(min_size=1), st.integers(0, 100))
def test_what_a_caller_says_belongs_together_does(said, conversation, share):
    """In the first turn of a conversation, which has no name yet, and in those that follow."""
    fields = ChatRequest(model="chat", messages=[], prompt_cache_key=said)
    asks = [
        structs.replace(ask(affinity, f"req_{n}"), fields=fields)
        for n, affinity in enumerate((None, conversation, "x"))
    ]
    assert len({way(share).order(one)[0].revision_id for one in asks}) == 1


@given(st.text(min_size=1), st.integers(0, 100))
def test_a_key_has_one_revision(key, share):
    """Whatever it asks."""
    sticky = way(share, "key")
    assert len({sticky.order(ask(request=f"req_{one}"), key)[0].revision_id for one in range(20)}) == 1


def test_requests_without_a_conversation_are_divided():
    """About as the shares say."""
    served = [way(30).order(ask(request=f"req_{one}"))[0].revision_id for one in range(2000)]
    assert 500 < served.count("new") < 700


@pytest.mark.parametrize(("pending", "again_ms"), [("its engine is started again", 2000), ("", 0)])
def test_who_asks_what_is_not_up_is_told_when_to_come_back(pending, again_ms):
    """Where it will come up by itself; a name without a revision will not."""
    nobody = Way("chat", Deployment("chat", "m", 0, (), pending=pending), Route.CHAT)
    with pytest.raises(NotReady, match=pending or "no revision") as refused:
        nobody.order(ask())
    assert refused.value.retry_after_ms == again_ms
