"""Identifiers are UUIDs of version 7 in other digits."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from primeur.core.ids import Mint, make_id

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def read(text):
    prefix, _, digits = text.partition("_")
    number = 0
    for digit in digits:
        number = number << 5 | DIGITS.index(digit)
    assert (prefix, len(digits)) == ("req", 26)
    return UUID(int=number)


@given(st.integers(0, (1 << 48) - 1), st.binary(min_size=16, max_size=16))
def test_an_id_is_a_uuid_of_its_time(now_ms, drawn):
    """Version and variant are where RFC 9562 has them."""
    found = read(make_id("request", now_ms, lambda _: drawn))
    assert (found.version, found.variant, found.int >> 80) == (7, "specified in RFC 4122", now_ms)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 15), st.integers(0, 4))
def test_every_random_bit_counts(drawn, byte, bit):
    """All 74 of them, but for those that version and variant take."""
    other = bytearray(drawn)
    other[byte] ^= 1 << bit
    fixed = {0: {1, 2, 3, 4}, 3: {3, 4}}.get(byte, set())
    changed = make_id("request", 1, lambda _: bytes(other)) != make_id("request", 1, lambda _: drawn)
    assert changed or bit in fixed


@given(st.integers(0, 1 << 47), st.integers(1, 1000), st.binary(min_size=16, max_size=16))
def test_ids_sort_by_time(now_ms, later_ms, drawn):
    """Whatever was drawn."""
    assert make_id("request", now_ms, lambda _: drawn) < make_id("request", now_ms + later_ms, bytes)


@given(st.lists(st.integers(0, (1 << 48) - 1), min_size=1, max_size=300), st.binary(min_size=16, max_size=16))
def test_a_mint_makes_what_is_made_one_by_one(moments, drawn):
    """The same digits for the same time and dice, however many are drawn at once."""
    mint = Mint("request", lambda size: drawn * (size // 16))
    assert [mint.make(now_ms) for now_ms in moments] == [
        make_id("request", now_ms, lambda _: drawn) for now_ms in moments
    ]
