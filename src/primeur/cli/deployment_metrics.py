"""The part of ``primeur deployments show`` that tells what each revision did."""

from typing import Any

from primeur.cli.client import Api, Refused, one
from primeur.cli.show import costs, print_table, say


def read_metrics(api: Api, name: str, hours: int) -> dict[str, Any] | None:
    """Read what each revision did in the last hours; None for a key that may not see what was used."""
    try:
        found: dict[str, Any] = api.get(one("deployments", name) + "/metrics", hours=hours)
    except Refused:
        return None
    return found


def say_metrics(found: dict[str, Any] | None, hours: int) -> None:
    """Print it."""
    say("")
    if found is None:
        say("This key may not see what was used (usage:read).")
    elif not found["data"]:
        say(f"Nobody asked for it in the last {hours} h.")
    else:
        say(f"Last {hours} h:")
        print_table(found["data"], _COLUMNS)


def _milliseconds(half: int | None, most: int | None) -> str:
    return "-" if half is None or most is None else f"{half / 1000:.3g} / {most / 1000:.3g}"


_COLUMNS = {
    "revision": lambda each: each["revision"],
    "requests": lambda each: each["requests"],
    "errors": lambda each: each["failed"],
    "first token ms p50 / p95": lambda each: _milliseconds(each["first_us_p50"], each["first_us_p95"]),
    "between tokens ms p50 / p95": lambda each: _milliseconds(each["between_us_p50"], each["between_us_p95"]),
    "tokens/s p50": lambda each: each["tokens_per_s_p50"],
    "output": lambda each: each["output_tokens"],
    "cost": lambda each: costs(each["costs"], each["unpriced"]),
}
