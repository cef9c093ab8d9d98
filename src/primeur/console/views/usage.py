"""The usage page: who used what, in plots, in a table, and as CSV."""

import csv
import io

from starlette.responses import Response

from primeur.console.api import Json
from primeur.console.desk import Page
from primeur.console.paging import day_ms

GROUPS = ("deployment", "key", "model", "project", "day")
SPANS_DAYS = (1, 7, 30, 90)
_DAY_MS = 86_400_000
# Spans up to so long are drawn in steps of so much.
_STEPS_MS = (
    (_DAY_MS + 1, _DAY_MS // 48),
    (8 * _DAY_MS, _DAY_MS // 4),
    (400 * _DAY_MS, _DAY_MS),
    (1 << 60, 366 * _DAY_MS),
)
_COLUMNS = ("requests", "failed", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "unpriced")


async def show_usage(page: Page) -> Response:
    """Draw plots over time and a table by group."""
    asked = _asked(page)
    table = await page.api.get("/api/v1/usage", {"by": asked["by"], **_span(page, asked)})
    span = _span(page, asked)
    by = asked["by"] if asked["by"] != "day" else GROUPS[0]
    step_ms = step_of(span["to_ms"] - span["from_ms"])
    series = await page.api.get("/api/v1/usage/series", {"by": by, "step_ms": step_ms, **span})
    template = "usage_body.html" if page.is_fragment else "usage.html"
    return page.draw(
        template,
        asked=asked,
        groups=GROUPS,
        spans=SPANS_DAYS,
        table=table,
        series=series,
        total=table["total"],
    )


async def export_usage(page: Page) -> Response:
    """The table as CSV, money in nanos so that nothing is rounded."""
    asked = _asked(page)
    table = await page.api.get("/api/v1/usage", {"by": asked["by"], **_span(page, asked)})
    return Response(
        to_csv(table["data"], asked["by"]),
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="primeur-usage-by-{asked["by"]}.csv"'},
    )


def to_csv(lines: list[Json], by: str) -> str:
    """Write usage lines as CSV; one column of nanos for each currency."""
    currencies = sorted({currency for line in lines for currency in line["costs"]})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([by, "id", *_COLUMNS, *(f"cost_nanos_{currency}" for currency in currencies)])
    for line in lines:
        costs = [line["costs"].get(currency, "") for currency in currencies]
        writer.writerow([_guarded(line["label"]), line["name"], *(line[name] for name in _COLUMNS), *costs])
    return out.getvalue()


def step_of(span_ms: int) -> int:
    """The length of a plot's steps: short enough to see the day's shape, few enough to draw."""
    return next(step for most, step in _STEPS_MS if span_ms <= most)


def _guarded(text: str) -> str:
    # A name that begins like a formula must not become one in a spreadsheet.
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text


def _asked(page: Page) -> dict[str, str]:
    query = page.request.query_params
    by = query.get("by", GROUPS[0])
    days = query.get("days", "30")
    return {
        "by": by if by in GROUPS else GROUPS[0],
        "days": days if days in {str(span) for span in SPANS_DAYS} else "30",
        "from": query.get("from", ""),
        "to": query.get("to", ""),
    }


def _span(page: Page, asked: dict[str, str]) -> dict[str, int]:
    first, last = day_ms(asked["from"]), day_ms(asked["to"], end=True)
    now_ms = page.desk.house.clock.now_ms()
    to_ms = last if last is not None else now_ms + 1
    return {"from_ms": first if first is not None else to_ms - int(asked["days"]) * _DAY_MS, "to_ms": to_ms}
