"""Figures for people."""

import pytest

from primeur.console import show


@pytest.mark.parametrize(
    ("nanos", "language", "text"),
    [
        (None, "en", "unknown"),
        (0, "en", "0.00\u00a0EUR"),
        (1_234_000, "en", "0.001234\u00a0EUR"),
        (1_234_000, "fr", "0,001234\u00a0EUR"),
        (1_234_560_000_000, "en", "1,234.56\u00a0EUR"),
        (1_234_560_000_000, "fr", "1\u202f234,56\u00a0EUR"),
    ],
)
def test_money_without_a_price_is_unknown_and_never_zero(nanos, language, text):
    """Nanos become an amount; none stays unknown."""
    assert show.money(nanos, "EUR", language, "unknown") == text


def test_counts_and_sizes_follow_the_language():
    """French sets thousands apart by a thin space and counts octets."""
    assert [show.count(12345, "en"), show.count(12345, "fr"), show.count(None, "en")] == ["12,345", "12\u202f345", "—"]
    assert show.size(24_100_000, "en") == "24.1\u00a0MB"
    assert show.size(24_100_000, "fr") == "24,1\u00a0Mo"
    assert show.size(999, "en") == "999\u00a0B"


def test_durations_choose_their_unit():
    """Microseconds, milliseconds, seconds."""
    shown = [show.duration(value, "en") for value in (850, 12_400, 3_200_000, None)]
    assert shown == ["850\u00a0µs", "12\u00a0ms", "3.2\u00a0s", "—"]


def test_moments_are_written_in_utc():
    """The page carries UTC; the browser makes it local."""
    assert show.moment(0) == "1970-01-01 00:00 UTC"
    assert show.iso(1_000) == "1970-01-01T00:00:01Z"
    assert (show.moment(None), show.iso(None)) == ("—", "")
