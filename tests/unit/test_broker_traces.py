"""What a trace may look like, and what is refused."""

import pytest

from primeur.broker.traces import parse_requests, parse_windows
from primeur.core.errors import BadRequest


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        (["TIMESTAMP", "ContextTokens", "GeneratedTokens"], ["2023-11-16 18:17:04.5000000", "7", "3"], 500_000),
        (["timestamp_ms", "input_length", "output_length", "hash_ids"], ["1500", "7", "3", "0 1"], 1_500_000),
        (["prompt_tokens", "completion_tokens", "arrival_s"], ["7", "3", "2.5"], 2_500_000),
        (["Timestamp", "Model", "Request tokens", "Response tokens"], ["4", "m", "7", "3"], 4_000_000),
    ],
)
def test_columns_are_known_by_their_names(header, row, expected):
    """Each public trace spells its columns in its own way, and in its own order."""
    first = [{"2023": "2023-11-16 18:17:04.0000000"}.get(cell[:4], cell) for cell in row]
    if "TIMESTAMP" not in header:
        first[next(i for i, c in enumerate(header) if c.lower().startswith(("timestamp", "arrival")))] = "0"
    trace = parse_requests("t", header, [first, row])
    assert list(trace.arrivals_us) == [0, expected]
    assert (trace.input_tokens[1], trace.output_tokens[1]) == (7, 3)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["0", "-5", "3"], "input_tokens is -5"),
        (["0", "5", "x"], "output_tokens is 'x'"),
        (["nan", "5", "3"], "not a time"),
        (["soon", "5", "3"], "not a time"),
        (["0", "5"], "2 cells"),
        (["0", "99999999999", "3"], "tokens are 0 to"),
    ],
)
def test_a_bad_cell_is_named_with_its_line(row, said):
    """One clear error says which line and what is wrong with it."""
    with pytest.raises(BadRequest, match=f"t line 3.*{said}"):
        parse_requests("t", ["arrival", "input_tokens", "output_tokens"], [["0", "1", "1"], row])


def test_an_unknown_column_set_is_refused_with_its_names():
    """Who gives the wrong file is told what was looked for and what was found."""
    with pytest.raises(BadRequest, match=r"arrival time.*its columns are colour"):
        parse_requests("t", ["colour"], [["red"]])


def test_a_trace_without_requests_is_refused():
    """There is nothing to simulate."""
    with pytest.raises(BadRequest, match="no requests"):
        parse_requests("t", ["arrival", "input_tokens", "output_tokens"], [])


def test_requests_out_of_order_are_sorted():
    """Some traces are written as answers finish."""
    trace = parse_requests("t", ["arrival", "input_tokens", "output_tokens"], [["2", "1", "1"], ["1", "9", "9"]])
    assert (list(trace.arrivals_us), list(trace.input_tokens)) == ([0, 1_000_000], [9, 1])


def test_a_window_with_a_negative_rate_is_refused():
    """Rates are requests a second, zero or more."""
    header = ["client", "window_start_s", "rate_rps", "cv", "pattern", "arg1", "arg2"]
    with pytest.raises(BadRequest, match="line 2: rate_rps"):
        list(parse_windows("w", header, [["0", "0", "-1", "1", "G", "1", "1"]]))
    with pytest.raises(BadRequest, match="known are G"):
        list(parse_windows("w", header, [["0", "0", "1", "1", "Q", "1", "1"]]))
