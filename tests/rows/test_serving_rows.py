"""Who served what share and why, step by step; on both databases."""

from primeur.core.usage import Usage, UsageEvent
from primeur.metering.refusal_rows import Server, read_serving
from primeur.metering.rows import keep_usage

MINUTE_MS = 60_000
FIRST = 1_000_000 * MINUTE_MS


def served(number, at_ms, provider, refusal=None, deployment="chat"):
    return UsageEvent(
        id=f"req_{number}", at_ms=at_ms, route="chat", outcome="completed", status=200, project_id="prj", key_id="key",
        deployment=deployment, provider=provider, refusal=refusal, usage=Usage(1, 0, 1),
    )  # fmt: skip


def test_requests_are_counted_by_who_served_them_and_why(store):
    """A caller who was told to come back was served by nobody; what failed without a refusal is not counted."""
    events = [
        served(1, FIRST, "holder"),
        served(2, FIRST + 1, "holder"),
        served(3, FIRST + MINUTE_MS, "holder"),
        served(4, FIRST + MINUTE_MS, "other", "NO_HEADROOM"),
        served(5, FIRST + MINUTE_MS + 1, "", "THROTTLED"),
        served(6, FIRST + MINUTE_MS + 1, ""),
        served(7, FIRST + 2 * MINUTE_MS, "other", "OUTAGE"),
        served(8, FIRST, "engine", deployment="echo"),
    ]
    store.transact_now(lambda tx: keep_usage(tx, events))
    span = (FIRST, FIRST + 2 * MINUTE_MS)
    found = store.read_now(lambda tx: read_serving(tx, span=span, step_ms=MINUTE_MS, deployment="chat"))
    assert found == {
        Server("chat", "holder", None): {FIRST: 2, FIRST + MINUTE_MS: 1},
        Server("chat", "", "THROTTLED"): {FIRST + MINUTE_MS: 1},
        Server("chat", "other", "NO_HEADROOM"): {FIRST + MINUTE_MS: 1},
    }
    whole = store.read_now(lambda tx: read_serving(tx, span=span, step_ms=MINUTE_MS))
    assert next(iter(whole)) == Server("chat", "holder", None)
    assert whole[Server("echo", "engine", None)] == {FIRST: 1}
