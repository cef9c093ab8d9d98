"""What passes by its frame is what would have passed piece by piece."""

import json

from hypothesis import given
from hypothesis import strategies as st

from primeur.metering.counting import StreamScanner
from primeur.metering.frames import frame_of
from primeur.relay.chunks import ChunkReader

NAMED = ("content", "text", "reasoning_content")


def event(said, /, *, name="content", spaced=False, **more):
    separators = None if spaced else (",", ":")
    chunk = {"id": "x", "choices": [{"index": 0, "delta": {name: said}, "finish_reason": None}], **more}
    return f"data: {json.dumps(chunk, separators=separators, ensure_ascii=False)}\n\n".encode()


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


@given(TEXTS, TEXTS, st.sampled_from(NAMED), st.booleans())
def test_what_a_frame_holds_is_one_plain_piece(first, second, name, spaced):
    """Whatever the texts; the reader and the scanner say the same of it."""
    frame, data = frame_of(event(first, name=name, spaced=spaced)), event(second, name=name, spaced=spaced)
    if frame is None or not frame.holds(chunk(data)):
        assert set('"\\') & set(json.dumps(first + second, ensure_ascii=False)[1:-1])
        return
    reader, scanner = ChunkReader(), StreamScanner(wants_usage=False)
    assert scanner.take(reader.feed(chunk(data))) == data
    assert (scanner.pieces, scanner.finished, reader.between) == (1, False, True)


@given(st.integers(0, 300), st.integers(0, 255))
def test_a_packet_that_is_changed_is_held_only_if_it_still_is_one_event(at, byte):
    """Any byte becomes any other: what is held reads as one event with one piece, which the reader gives back."""
    frame, packet = frame_of(event("river")), bytearray(chunk(event("lakes")))
    packet[at % len(packet)] = byte
    if frame.holds(bytes(packet)):
        block = ChunkReader().feed(bytes(packet))
        scanner = StreamScanner(wants_usage=False)
        assert (scanner.take(block), scanner.pieces, scanner.fault) == (block, 1, None)


def test_what_says_more_than_a_text_has_no_frame():
    """Usage, errors, two texts, an empty one, several events, what finishes."""
    assert frame_of(event("a", usage=None)) is None
    assert frame_of(event("a", error={"message": "b"})) is None
    assert frame_of(event("a", text="b")) is None
    assert frame_of(event("")) is None
    assert frame_of(event("a") + event("b")) is None
    assert frame_of(event("a").replace(b"null", b'"stop"')) is None


def test_two_chunks_or_a_part_of_one_are_not_held():
    """They are read as they always were."""
    frame, packet = frame_of(event("river")), chunk(event("lakes"))
    assert frame.holds(packet)
    assert not frame.holds(packet + packet)
    assert not any(frame.holds(packet[:cut]) for cut in range(len(packet)))
    assert not frame.holds(b"0" + packet)
    assert not frame.holds(packet.replace(b"lakes", b"la\nkes"))
