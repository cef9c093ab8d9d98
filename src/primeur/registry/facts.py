"""What may be said of a version: languages, a card, the day on which it ends; pure."""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime

from primeur.core.errors import BadRequest

UPSTREAM = "upstream"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_LANGUAGES_MOST = 200


def check_languages(said: Iterable[str]) -> str:
    """Give language tags as they are kept: each once, separated by spaces.

    Raises:
        BadRequest: not a tag such as ``en`` or ``pt-BR``.

    Source: RFC 5646 (BCP 47), the tags that name one language.
    """
    tags = list(dict.fromkeys(said))
    wrong = [tag for tag in tags if _LANGUAGE.fullmatch(tag) is None]
    if wrong or len(tags) > _LANGUAGES_MOST:
        told = repr(wrong[0]) if wrong else f"a list of {len(tags)}"
        raise BadRequest(f"{told} is no language tag; write such as en, fr or pt-BR", param="languages")
    return " ".join(tags)


def read_day(said: str, param: str) -> int:
    """Give the beginning of a day, UTC milliseconds.

    Raises:
        BadRequest: not a day such as ``2027-01-31``.
    """
    try:
        day = date.fromisoformat(said)
    except ValueError:
        raise BadRequest(f"{said!r} is no day; write it as 2027-01-31", param=param) from None
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def read_end(said: str | None, now_ms: int) -> int | None:
    """Give the beginning of the day on which a version ends; today ends it now, None never.

    Raises:
        BadRequest: not a day, or one that is over.
    """
    if said is None:
        return None
    ends_ms, today = read_day(said, "retires"), day_of(now_ms)
    if said < today:
        raise BadRequest(f"{said} is over; name a later day, or {today} to end the version now", param="retires")
    return ends_ms


def day_of(at_ms: int) -> str:
    """Write the day of a moment: ``2027-01-31``, UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


def upstream_digest(provider_id: str, upstream_model: str) -> str:
    """Name a provider's model as digests name weights: the same model at the same provider is one version."""
    return f"{UPSTREAM}:{hashlib.sha256(f'{provider_id}/{upstream_model}'.encode()).hexdigest()}"
