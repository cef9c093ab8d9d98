"""Whole replays: real traces where they are at hand, small made-up ones elsewhere."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from primeur.broker.headroom import Capacity
from primeur.broker.traces import Trace
from primeur.cli.simulate import commands
from primeur.core.errors import BadRequest, SetupError
from primeur.walks.audit_replay import audit_replay
from primeur.walks.read_trace import read_requests
from primeur.walks.replay_requests import Faults, Replay, Scenario
from primeur.walks.simulate_requests import Study, resample, simulate_requests, summarise

TRACES = Path(__file__).parents[2] / ".." / "shared" / "traces"
SECOND = 1_000_000


def trace_at(name):
    """Give a real trace's path, or skip."""
    if not (TRACES / name).exists():
        pytest.skip(f"{name} is not beside the repository, in ../shared/traces")
    return TRACES / name


def run(*arguments):
    """Run the command line."""
    return CliRunner().invoke(commands, [str(argument) for argument in arguments])


@pytest.mark.parametrize("name", ["azure_llm_2023_conv.csv.gz", "azure_llm_2023_code.csv.gz"])
@pytest.mark.parametrize("load", [0.8, 1.2])
def test_spilled_work_stays_within_five_percent_of_the_clairvoyant_optimum(name, load):
    """Lengths are estimated and learned on the way; the optimum knows them, and the future."""
    study = Study(load=load)
    result = summarise(*simulate_requests(trace_at(name), study), study)
    assert 1.0 <= result["ratio_to_optimum"] <= 1.05
    assert result["contract_violations"] == 0


FAULTY = st.tuples(
    st.lists(st.tuples(st.integers(0, 30 * SECOND), st.integers(0, 400), st.integers(0, 400)), min_size=1, max_size=60),
    st.integers(1, 20 * SECOND),
    st.integers(0, 4),
    st.booleans(),
    st.integers(0, 5),
    st.sampled_from([None, 10 * SECOND]),
)


@given(FAULTY)
@settings(max_examples=150, deadline=None)
def test_invariant_no_fault_makes_a_replay_break_the_contract(drawn):
    """Outages, late and double reports, price changes, 429s and an ending right: zero violations."""
    requests, outage, every, throttles, dedicated, ends = drawn
    requests.sort()
    trace = Trace("t", *([r[i] for r in requests] for i in range(3)))
    outages = ((5 * SECOND, 5 * SECOND + outage),)
    faults = Faults(outages, every * SECOND, every, 8 * SECOND, throttles)
    scenario = Scenario(Capacity(100.0), 10 * SECOND, 1.0, dedicated, ends, faults)
    assert audit_replay(Replay(trace, scenario).run(), scenario, trace.arrivals_us) == []


def test_a_trace_is_resampled_by_the_minute_and_by_its_seed():
    """The same seed makes the same trace, another one another; both keep to the recorded length."""
    trace = Trace("t", list(range(0, 1200 * SECOND, SECOND)), list(range(1200)), [1] * 1200)
    assert resample(trace, 1) == resample(trace, 1)
    assert resample(trace, 1) != resample(trace, 2)
    assert abs(len(resample(trace, 1)) - 1200) <= 60


def test_the_command_prints_what_scripts_read(tmp_path):
    """One JSON object with the names that are promised."""
    table = tmp_path / "t.csv"
    rows = "".join(f"{n * 0.1:.1f},100,{n % 50}\n" for n in range(500))
    table.write_text("arrival_s,input_tokens,output_tokens\n" + rows)
    outcome = run("requests", table, "--load", "1.1", "--seeds", "2", "--json", "--fault", "outage:10:5")
    assert outcome.exit_code == 0, outcome.output
    result = json.loads(outcome.stdout)
    promised = {"spilled_work", "optimum_spilled_work", "ratio_to_optimum", "contract_violations", "requests"}
    assert promised <= set(result)
    assert result["requests"] == 500
    assert result["spilled_work"] >= result["optimum_spilled_work"] > 0


def test_a_picture_is_drawn_when_one_is_asked_for(tmp_path):
    """A PNG, where it was asked for."""
    pytest.importorskip("matplotlib", reason="pictures need primeur[simulate]")
    table, picture = tmp_path / "t.csv", tmp_path / "p.png"
    table.write_text("arrival,input_tokens,output_tokens\n0,10,1\n90,10,1\n")
    assert run("requests", table, "--plot", picture).exit_code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert isinstance(run("requests", table, "--plot", tmp_path / "no" / "p.png").exception, SetupError)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.csv"], "cannot read the trace"),
        (["bad.csv"], "input_tokens is -1"),
        (["good.csv", "--load", "0"], "--load is 0"),
        (["good.csv", "--load", "nan"], "--load is nan"),
        (["good.csv", "--caution", "nan"], "--caution must be"),
        (["good.csv", "--right-share", "nan"], "--right-share 0 to 1"),
        (["long.csv"], "spans 11574 days"),
        (["good.csv", "--fault", "flood:1"], "flood:1 is unknown"),
        (["good.csv", "--fault", "outage:x:1"], "numbers"),
        (["broken.csv.gz"], "cannot read the trace"),
    ],
)
def test_bad_input_gets_one_clear_line(tmp_path, arguments, said):
    """It says what is wrong with what; the command line prints it and exits with 2."""
    (tmp_path / "bad.csv").write_text("arrival,input_tokens,output_tokens\n0,-1,1\n")
    (tmp_path / "good.csv").write_text("arrival,input_tokens,output_tokens\n0,1,1\n")
    (tmp_path / "long.csv").write_text("arrival,input_tokens,output_tokens\n0,1,1\n500000000,1,1\n")
    (tmp_path / "broken.csv.gz").write_bytes(b"not gzip")
    outcome = run("requests", tmp_path / arguments[0], *arguments[1:])
    assert isinstance(outcome.exception, BadRequest)
    assert said in outcome.exception.message
    assert "\n" not in outcome.exception.message


def test_windows_become_requests_with_lengths_from_the_table_beside_them(tmp_path):
    """ServeGen's rates are drawn as arrivals; clients without lengths get the mean."""
    windows = tmp_path / "m_windows.csv"
    windows.write_text("client,window_start_s,rate_rps,cv,pattern,arg1,arg2\n0,0,1,1,G,1,1\n9,600,2,1,W,1,0.5\n")
    quantiles = ",".join(f"p{p}" for p in (1, 5, 10, 25, 50, 75, 90, 95, 99))
    (tmp_path / "m_lengths.csv").write_text(
        f"client,window_start_s,field,mean,{quantiles},max\n"
        "0,0,input_tokens,100" + ",100" * 10 + "\n0,0,output_tokens,10" + ",10" * 10 + "\n"
    )
    trace = read_requests(windows, most=10_000)
    assert set(trace.input_tokens) == {100}
    assert set(trace.output_tokens) == {10}
    assert 1_500 < len(trace) < 2_100
    assert len(read_requests(windows, most=10)) == 10


def test_a_study_without_work_is_refused(tmp_path):
    """A trace of empty requests has no load to speak of."""
    (tmp_path / "t.csv").write_text("arrival,input_tokens,output_tokens\n0,0,0\n")
    with pytest.raises(BadRequest, match="no tokens"):
        simulate_requests(tmp_path / "t.csv", Study())
