"""What a load test says, and how it is drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.cli.bench import read_levels, requests_of
from primeur.cli.bench_load import Load, endpoint_of
from primeur.cli.bench_plot import check_png, draw_png, show_spread, solid_bar, spread_bar
from primeur.cli.reach import Reach
from primeur.core.errors import BadRequest, SetupError
from primeur.metering.benchmarks import Sample, Spread, gaps, percentile, summarise


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_was_measured(values, share):
    """The smallest one that at least that share does not exceed."""
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert percentile([], share) is None


def test_pieces_that_arrive_together_share_the_wait_evenly():
    """Nothing is made in no time, and the whole wait stays the whole wait."""
    assert gaps([1.0, 2.0, 2.0, 4.0]) == [0.5, 0.5, 2.0]
    assert gaps([1.0]) == []


def test_a_level_counts_failures_apart():
    """They neither speed it up nor slow it down."""
    good = Sample(0.0, 2.0, [0.5, 1.0, 2.0], 10, 3)
    level = summarise(2, [good, Sample(0.0, 9.0, fault="busy"), Sample(0.0, 9.0, fault="busy")])
    assert (level.requests, level.failed, level.faults) == (3, 2, ("busy",))
    assert (level.tokens_per_s, level.input_tokens) == (1.5, 10)
    assert (level.first_token_ms.p50, level.between_tokens_ms.p50) == (500, 500)
    assert summarise(1, [Sample(0.0, fault="down")]).tokens_per_s == 0


def test_levels_are_read_in_order_and_once():
    """Whatever the order they were written in."""
    assert read_levels("4, 1,2,2") == [1, 2, 4]
    for wrong in ("", "0", "1,x", "-1", "1e3", "4096"):
        with pytest.raises(BadRequest):
            read_levels(wrong)
    assert (requests_of(1, None), requests_of(16, None), requests_of(16, 5)) == (8, 64, 5)


def test_no_two_prompts_begin_alike():
    """Or a prompt cache would flatter the figures."""
    load = Load("echo", 8, 8)
    assert load.body() != load.body()


def test_a_service_is_reached_by_its_address():
    """With a path in front, and with the port that its scheme implies."""
    found = endpoint_of(Reach("https://ai.example/house", "k"), 4)
    assert (found.scheme, found.host, found.port, found.prefix) == ("https", "ai.example", 443, "/house/v1")
    with pytest.raises(SetupError):
        endpoint_of(Reach("ftp://ai.example", "k"), 4)


def test_bars_fill_their_width_and_shades_add_up():
    """The most of all is as wide as can be."""
    assert len(solid_bar(10, 10, 20)) == 20
    assert solid_bar(0, 0) == ""
    assert spread_bar(Spread(5, 10, 20), 20, 20).plain == "\u2588" * 5 + "\u2593" * 5 + "\u2591" * 10
    assert show_spread(Spread(1.2345, None, 1234.5)) == "1.23 / - / 1,234"


def test_a_picture_is_drawn(tmp_path):
    """A real PNG, where matplotlib is installed."""
    pytest.importorskip("matplotlib")
    path = tmp_path / "bench.png"
    check_png(path)
    draw_png([summarise(n, [Sample(0.0, 2.0, [0.5, 1.0], 1, 2)]) for n in (1, 2)], "echo", path)
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SetupError, match="no folder"):
        check_png(tmp_path / "missing" / "bench.png")
