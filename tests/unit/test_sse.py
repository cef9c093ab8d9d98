"""Server-sent events out of arbitrary pieces."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from primeur.core.sse import EventSplitter, event_data, split_events

STREAM = b'data: {"a":1}\n\n: ping\n\ndata: {"b":"\\n\\n"}\r\n\r\ndata: [DONE]\n\n'


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_are_the_same_however_the_stream_is_cut(cuts):
    """Every cutting gives the same events, line ends made one."""
    edges = [0, *sorted(cuts), len(STREAM)]
    splitter = EventSplitter()
    blocks = b"".join(splitter.feed(STREAM[a:b]) for a, b in pairwise(edges))
    data = [event_data(event) for event in split_events(blocks)]
    assert data == [b'{"a":1}', b"", b'{"b":"\\n\\n"}', b"[DONE]"]
    assert splitter.rest == b""


def test_data_of_several_lines_is_joined():
    """As the standard says."""
    assert event_data(b"event: x\ndata: one\ndata:two\n\n") == b"one\ntwo"
