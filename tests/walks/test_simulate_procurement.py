"""Procurement, from demand to papers to cost; real traces where they are at hand."""

import csv
import gzip
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from primeur.broker.buying import Market
from primeur.broker.commands import CommitThird
from primeur.broker.rights import HOUR_MS, Mode
from primeur.cli.simulate import commands
from primeur.core.errors import BadRequest
from primeur.walks.audit_procurement import audit_procurement
from primeur.walks.plan_procurement import Asked, Plan, right_of
from primeur.walks.read_demand import read_demands
from primeur.walks.replay_procurement import Procurement

TRACES = Path(__file__).parents[2] / ".." / "shared" / "traces"
HEADER = "client,window_start_s,rate_rps,cv,pattern,arg1,arg2\n"
SPLIT_S = 6 * 86_400


def write_days(path, first, last):
    """Write made-up windows for some days: a rate that swings by the hour."""
    rows = (f"0,{s},{10 + 5 * (s // 3600 % 3)},1,G,1,1\n" for s in range(first * 86_400, last * 86_400, 600))
    path.write_text(HEADER + "".join(rows))
    return path


def split_trace(folder, model):
    """Cut a real trace into six days to learn from and four to judge by, or skip."""
    source = TRACES / f"servegen_{model}_windows.csv.gz"
    if not source.exists():
        pytest.skip(f"{source.name} is not beside the repository, in ../shared/traces")
    with gzip.open(source, "rt", newline="") as file:
        header, *rows = list(csv.reader(file))
    paths = []
    for name, late in (("early", False), ("late", True)):
        path = folder / f"{model}{name}_windows.csv"
        kept = [row for row in rows if (int(row[1]) >= SPLIT_S) == late]
        path.write_text("\n".join(",".join(row) for row in [header, *kept]))
        lengths = source.with_name(source.name.replace("windows", "lengths"))
        (folder / f"{model}{name}_lengths.csv.gz").write_bytes(lengths.read_bytes())
        paths.append(path)
    return paths


@pytest.mark.parametrize("model", ["m-small", "m-mid", "m-large"])
@pytest.mark.parametrize(("block_days", "most"), [(1, 1.10), (7, 1.15)])
def test_procurement_stays_close_to_the_optimum_on_later_days(tmp_path, model, block_days, most):
    """Fitted on six days, judged on the next four; never worse than break-even's bound."""
    pytest.importorskip("scipy", reason="the optimum needs primeur[simulate]")
    early, late = split_trace(tmp_path, model)
    outcome = CliRunner().invoke(
        commands, ["procurement", str(late), "--history", str(early), "--block-days", str(block_days), "--json"]
    )
    result = json.loads(outcome.stdout)
    assert 1.0 <= result["ratio_to_optimum"] <= min(most, result["break_even_bound"])
    assert result["contract_violations"] == 0
    assert result["price_of_exclusivity"] >= 1.0


def test_procurement_needs_no_extra(tmp_path):
    """The optimum, too, is found by a program that has neither scipy nor numpy nor matplotlib."""
    early, late = write_days(tmp_path / "early.csv", 0, 2), write_days(tmp_path / "late.csv", 2, 4)
    program = (
        "import sys; sys.modules.update(dict.fromkeys(('scipy', 'numpy', 'matplotlib')));"
        "from primeur.cli.simulate import commands; commands(sys.argv[1:])"
    )
    words = ["procurement", str(late), "--history", str(early), "--block-days", "7", "--json"]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, check=True, timeout=60)
    assert json.loads(done.stdout)["ratio_to_optimum"] >= 1.0


PLANS = st.builds(
    lambda mode, response, block, tolerance, *faults: (
        Asked(block, mode=mode, response_hours=response, tolerance_percent=tolerance),
        faults,
    ),
    st.sampled_from(list(Mode)),
    st.sampled_from([0.5, 24.0, 72.0]),
    st.integers(1, 3),
    st.integers(0, 10),
    st.integers(0, 3),
    st.booleans(),
    st.none() | st.integers(0, 4),
    st.none() | st.tuples(st.integers(0, 3), st.integers(1, 5)),
)


@given(PLANS, st.lists(st.integers(0, 30), min_size=9, max_size=9))
@settings(max_examples=40, deadline=None)
def test_invariant_no_fault_makes_procurement_break_the_right(planned, by_day):
    """Late answers, double commands, a dearer third party and a holder without capacity: zero violations."""
    asked, (silent, twice, dearer, outage) = planned
    right = right_of(asked)
    plan = Plan(
        asked.block_days, right, 3, 20 * HOUR_MS, silent, duplicates=twice, price_change_day=dearer, outage_days=outage
    )
    demand = [float(wanted) for wanted in by_day for _ in range(144)]
    procurement = Procurement(demand[: 4 * 144], demand[4 * 144 :], Market(1.0, 0.6, 0.55, 8), plan)
    ledger = procurement.run()
    assert audit_procurement(ledger.told, right, 8) == []
    assert len(ledger.days) == 5


def test_the_audit_finds_what_it_should():
    """A third party that nobody offered to the holder is a breach, and so is a command that took effect twice."""
    asked = Asked()
    plan = Plan(1, right_of(asked))
    procurement = Procurement([9.0] * 144 * 8, [9.0] * 144 * 2, Market(1.0, 0.6, 0.55, 4), plan)
    told = procurement.run().told
    third = next(command for _, command in told if isinstance(command, CommitThird))
    unasked = [(at_ms, replace(c, release=None) if c is third else c) for at_ms, c in told]
    assert any("without asking" in breach for breach in audit_procurement(unasked, plan.right, 4))
    assert any("twice" in breach for breach in audit_procurement([*told, told[-1]], plan.right, 4))
    early = sorted(((at_ms - 80 * HOUR_MS if c is third else at_ms, c) for at_ms, c in told), key=lambda t: t[0])
    assert any("outside" in breach for breach in audit_procurement(early, plan.right, 4))
    assert any("beyond" in breach for breach in audit_procurement(told, plan.right, 3))


def test_the_command_prints_what_scripts_read(tmp_path):
    """One JSON object with the names that are promised, faults and all."""
    pytest.importorskip("scipy", reason="the optimum needs primeur[simulate]")
    history, trace = write_days(tmp_path / "h_windows.csv", 0, 7), write_days(tmp_path / "t_windows.csv", 7, 10)
    arguments = ["procurement", str(trace), "--history", str(history), "--block-days", "1", "--json"]
    outcome = CliRunner().invoke(commands, [*arguments, "--fault", "late:2", "--fault", "duplicates"])
    assert outcome.exit_code == 0, outcome.exception
    result = json.loads(outcome.stdout)
    names = {"cost", "optimum_cost", "ratio_to_optimum", "price_of_exclusivity", "price_of_uncertainty"}
    assert names | {"contract_violations"} <= set(result)
    assert (result["contract_violations"], result["judged_days"]) == (0, 3.0)


def test_a_picture_is_drawn_when_one_is_asked_for(tmp_path):
    """A PNG, where it was asked for."""
    pytest.importorskip("matplotlib", reason="pictures need primeur[simulate]")
    trace, picture = write_days(tmp_path / "t_windows.csv", 0, 3), tmp_path / "p.png"
    assert CliRunner().invoke(commands, ["procurement", str(trace), "--plot", str(picture)]).exit_code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_days_of_the_history_are_not_judged(tmp_path):
    """A trace that contains its history is judged on what comes after; one that starts anew follows on."""
    history, whole = write_days(tmp_path / "h_windows.csv", 0, 4), write_days(tmp_path / "w_windows.csv", 0, 6)
    earlier, later = read_demands(history, whole, 1.0)
    assert (len(earlier.work_per_s), later.start_s, len(later.work_per_s)) == (4 * 144, 4 * 86_400, 2 * 144)
    anew = write_days(tmp_path / "n_windows.csv", 0, 2)
    assert len(read_demands(history, anew, 1.0)[1].work_per_s) == 2 * 144


@pytest.mark.parametrize(
    "arguments",
    [["--block-days", "0"], ["--holder-price", "0"], ["--fault", "late"], ["--fault", "late:-1"], ["--unit", "-1"]],
)
def test_bad_options_get_one_clear_line(tmp_path, arguments):
    """It says which option and what it may be."""
    pytest.importorskip("scipy", reason="the optimum needs primeur[simulate]")
    trace = write_days(tmp_path / "t_windows.csv", 0, 2)
    outcome = CliRunner().invoke(commands, ["procurement", str(trace), *arguments])
    assert isinstance(outcome.exception, BadRequest)
