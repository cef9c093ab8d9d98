"""What simulations found is kept by the service and drawn from there."""

import pytest

from primeur.walks.plan_procurement import Asked
from primeur.walks.plot_simulation import STEPS_MOST, figures_of, plot_procurement, plot_requests
from primeur.walks.simulate_procurement import simulate_procurement, summarise_procurement
from primeur.walks.simulate_requests import Study, simulate_requests, summarise


@pytest.fixture
def trace(tmp_path):
    """Requests over five days: twelve an hour, of 100 tokens by night and 400 by day."""
    path = tmp_path / "trace.csv"
    lines = [f"{at_s},{400 if 8 <= at_s // 3600 % 24 < 20 else 100},10" for at_s in range(0, 5 * 86_400, 300)]
    path.write_text("\n".join(["timestamp_s,input_tokens,output_tokens", *lines]))
    return path


async def kept(client, kind, trace, summary, drawing):
    body = {"kind": kind, "trace": trace.name, "figures": figures_of(summary), "drawing": drawing}
    answer = await client.post("/api/v1/simulations", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_replayed_requests_are_kept_with_what_is_drawn_of_them(client, trace):
    """All work is in the drawing, in steps few enough to plot; the list is without drawings."""
    study = Study(load=1.1)
    per_s, runs = simulate_requests(trace, study)
    one = await kept(client, "requests", trace, summarise(per_s, runs, study), plot_requests(runs[0]))
    held, elsewhere = one["drawing"]["plots"]["work"]
    assert sum(held["values"]) + sum(elsewhere["values"]) == pytest.approx(runs[0].offered_work)
    assert len(held["values"]) <= STEPS_MOST
    (line,) = (await client.get("/api/v1/simulations")).json()["data"]
    assert line == {name: value for name, value in one.items() if name != "drawing"}
    assert (await client.get(f"/api/v1/simulations/{one['id']}")).json() == one


async def test_a_simulated_procurement_is_kept_with_units_by_step(client, trace):
    """Mean demand is that of the trace, and whatever was committed is at least what the holder has of it."""
    outcome = simulate_procurement(trace, None, Asked())
    one = await kept(client, "procurement", trace, summarise_procurement(outcome, Asked()), plot_procurement(outcome))
    wanted, held, committed = (line["values"] for line in one["drawing"]["plots"]["units"])
    assert max(wanted) <= max(outcome.demand)
    assert all(mine <= whole for mine, whole in zip(held, committed, strict=True))
    assert one["figures"]["price_of_exclusivity"] >= 1


@pytest.mark.parametrize(
    ("drawing", "words"),
    [
        ({"step_ms": 1, "plots": {}}, "length >= 1"),
        ({"step_ms": 1, "plots": {"work": [{"name": "a", "values": [1]}, {"name": "b", "values": []}]}}, "equally"),
        ({"step_ms": 0, "plots": {"work": [{"name": "a", "values": [1]}]}}, ">= 1"),
        ({"step_ms": 1, "plots": {"work": [{"name": "a", "values": [1.0] * 751}]}}, "length <= 750"),
    ],
)
async def test_what_cannot_be_drawn_is_not_kept(client, drawing, words):
    """One clear error, and the list stays as it was."""
    body = {"kind": "requests", "trace": "t.csv", "figures": {}, "drawing": drawing}
    answer = await client.post("/api/v1/simulations", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
    assert (await client.get("/api/v1/simulations")).json()["data"] == []
