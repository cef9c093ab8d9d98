"""A head that is known is known byte for byte, but for the digits of its content-length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.errors import TargetFailed
from primeur.core.heads import mask_of
from primeur.relay.chunks import ChunkReader
from primeur.relay.head import parse_head

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nContent-Length: %b\r\nauthorization: Bearer k\r\n\r\n"


def message(body, said=None):
    return HEAD % (b"%d" % len(body) if said is None else said) + body


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_the_same_head_with_another_length_is_known(first, second):
    """And its body is the rest."""
    mask = mask_of(HEAD % (b"%d" % len(first)))
    assert mask.body_of(message(second)) == second


@given(st.integers(0, len(HEAD) + 20), st.binary(min_size=1, max_size=3), st.integers(0, 3))
def test_whatever_else_differs_is_for_the_parser(at, junk, lost):
    """Bytes changed, lost or put in, anywhere; only another length that is right may pass."""
    whole = message(b"x" * 20)
    bent = whole[:at] + junk + whole[at + lost :]
    body = mask_of(HEAD % b"7").body_of(bent)
    assert body is None or bent == message(body)


@pytest.mark.parametrize(
    "said", [b"", b"+2", b"2 ", b" 2", b"0x2", b"-2", b"2,2", b"2\r\ncontent-length: 2", b"3", b"1"]
)
def test_a_length_that_is_not_the_bodys_is_for_the_parser(said):
    """More or less of it, or not only digits."""
    assert mask_of(HEAD % b"2").body_of(message(b"ab", said)) is None


@pytest.mark.parametrize("head", [HEAD.replace(b"Content-Length: %b", b"a: b"), HEAD % b"2\r\ncontent-length: 2"])
def test_a_head_without_one_length_has_no_mask(head):
    """Nothing is remembered of it."""
    assert mask_of(head) is None


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_chunks_come_out_whole_however_they_are_cut(chunks, cuts):
    """Nothing is lost, nothing added, and the end is seen where it is."""
    wire = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\nnext"
    reader, said, at = ChunkReader(), b"", 0
    while at < len(wire) and not reader.ended:
        cut = cuts.pop(0) if cuts else len(wire)
        said += reader.feed(wire[at : at + cut])
        at += cut
    assert said == b"".join(chunks)
    assert reader.ended
    assert b"next".startswith(reader.surplus)


@pytest.mark.parametrize("wire", [b"x\r\n", b"-1\r\n", b"0x1\r\n", b" 1\r\n", b"1\r\nab\r\n", b"1" * 5000, b"1_0\r\n"])
def test_what_is_no_chunk_is_a_fault(wire):
    """Of the target."""
    with pytest.raises(TargetFailed, match="the target sent"):
        ChunkReader().feed(wire)


@pytest.mark.parametrize(
    ("head", "keeps"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", True),
        (b"HTTP/1.1 200\r\ncontent-length: 2\r\nconnection: Close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\n\r\n", False),
        (b"HTTP/1.1 204 No\r\n\r\n", True),
    ],
)
def test_a_connection_is_kept_where_the_answer_says_its_length(head, keeps):
    """And nobody wants it closed."""
    assert parse_head(head, "x").keep_alive is keeps
