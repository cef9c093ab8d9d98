"""Lists read page by page, newest first: what was asked for, days as times, the address of the next older page."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from primeur.console.desk import Page

ROWS = 50


def asked_for(page: Page, names: Iterable[str]) -> dict[str, str]:
    """The filters of a list as they stand in the address, each of at most 200 characters."""
    return {name: page.request.query_params.get(name, "").strip()[:200] for name in names}


def paged(path: str, asked: Mapping[str, str], found: Mapping[str, Any]) -> dict[str, Any]:
    """What the templates of a list need to turn its pages.

    Args:
        path: of the list.
        found: an answer of the management API; its `next` is where the older page begins.
    """
    kept = {name: value for name, value in asked.items() if value and name != "before"}
    older = f"{path}?{urlencode(kept | {'before': found['next']})}" if found.get("next") else ""
    return {"asked": asked, "older": older, "is_later_page": bool(asked["before"])}


def day_ms(text: str, *, end: bool = False) -> int | None:
    """UTC milliseconds at which a day such as ``2026-11-22`` begins, or ends; None when it is no day."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int((day + timedelta(days=1 if end else 0)).timestamp() * 1000)
