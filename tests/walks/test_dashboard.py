"""The dashboard for Grafana that the documentation gives away."""

import json
import re
from pathlib import Path

from primeur.core.usage import Usage, UsageEvent
from primeur.gateway.load_metrics import LoadCollector
from primeur.metering.watching import Watch

DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana.json"


async def test_the_dashboard_asks_for_what_there_is(founded):
    """Every metric in it is one that we tell."""
    watch = Watch()
    for number, cost in ((1, 7), (2, None)):
        event = UsageEvent(
            f"req_{number}", 1, "chat", "completed", 200, deployment="chat", revision_id="rev_1", usage=Usage(5, 2, 11),
            first_token_us=20_000, duration_us=120_000, streamed=True, cost_nanos=cost, currency="EUR",
        )  # fmt: skip
        watch.see([event])
    known = {sample.name for family in watch.collect() for sample in family.samples}
    known |= {family.name for family in LoadCollector(founded).collect()}
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    asked = {name for panel in panels for name in re.findall(r"primeur_\w+", panel["targets"][0]["expr"])}
    assert asked
    assert asked <= known
