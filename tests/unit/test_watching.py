"""Counters by deployment and revision."""

from primeur.core.usage import Usage, UsageEvent
from primeur.metering.watching import SERIES_MOST, Watch


def event(number=1, revision="rev_1", outcome="completed", cost_nanos=7):
    return UsageEvent(
        f"req_{number}", 1, "chat", outcome, 200, deployment="chat", revision_id=revision, usage=Usage(5, 2, 11),
        first_token_us=20_000, duration_us=120_000, streamed=True, cost_nanos=cost_nanos, currency="EUR",
    )  # fmt: skip


def told(watch):
    return {
        (sample.name, *sample.labels.values()): sample.value for family in watch.collect() for sample in family.samples
    }


def test_each_metric_is_told():
    """Ten milliseconds from token to token; an unknown cost is no cost of zero."""
    watch = Watch()
    watch.see([event(), event(2, cost_nanos=None), event(3, outcome="failed")])
    found = told(watch)
    assert found["primeur_deployment_requests_total", "chat", "rev_1", "completed"] == 2
    assert found["primeur_deployment_requests_total", "chat", "rev_1", "failed"] == 1
    assert found["primeur_deployment_tokens_total", "chat", "rev_1", "output"] == 33
    assert found["primeur_deployment_cost_nanos_total", "chat", "EUR"] == 14
    assert found["primeur_deployment_unpriced_total", "chat"] == 1
    assert found["primeur_deployment_first_token_seconds_bucket", "chat", "rev_1", "0.025"] == 2
    assert found["primeur_deployment_inter_token_seconds_bucket", "chat", "rev_1", "0.005"] == 0
    assert found["primeur_deployment_inter_token_seconds_bucket", "chat", "rev_1", "0.01"] == 2


def test_what_was_refused_by_us_is_no_deployments_request():
    """It reached no revision."""
    watch = Watch()
    watch.see([event(revision="")])
    assert told(watch) == {}


def test_there_are_only_so_many_series():
    """Beyond them revisions are counted together."""
    watch = Watch()
    watch.see([event(number, f"rev_{number}") for number in range(SERIES_MOST + 5)])
    assert told(watch)["primeur_deployment_requests_total", "chat", "other", "completed"] == 5
