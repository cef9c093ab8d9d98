"""Figures written for people, in their language; pure."""

from datetime import UTC, datetime
from decimal import Decimal

from primeur.core.money import NANOS

_THIN = "\u202f"
_UNKNOWN = "—"
_SIZES = ("B", "kB", "MB", "GB", "TB")
_OCTETS = ("o", "ko", "Mo", "Go", "To")


def count(number: int | None, language: str) -> str:
    """Write a whole number with its thousands apart: ``12,345`` or ``12 345``."""
    if number is None:
        return _UNKNOWN
    return f"{number:,}".replace(",", _THIN) if language == "fr" else f"{number:,}"


def decimal(number: float | Decimal | None, places: int, language: str) -> str:
    """Write a number with *places* decimals."""
    if number is None:
        return _UNKNOWN
    text = f"{number:,.{places}f}"
    return text.replace(",", _THIN).replace(".", ",") if language == "fr" else text


def money(nanos: int | None, currency: str | None, language: str, unknown: str) -> str:
    """Write an amount in nanos with two to six decimals; no price is *unknown*, never zero."""
    if nanos is None:
        return unknown
    amount = Decimal(nanos) / NANOS
    places = 2 if abs(amount) >= 1 or nanos == 0 else 6
    return f"{decimal(amount, places, language)}\u00a0{currency or ''}".rstrip("\u00a0")


def price_per_million(nanos_a_token: int | None, currency: str | None, language: str, unknown: str) -> str:
    """Write a price for a million tokens from one in nanos a token."""
    if nanos_a_token is None:
        return unknown
    amount = Decimal(nanos_a_token) * 1_000_000 / NANOS
    return f"{decimal(amount, 2, language)}\u00a0{currency or ''}".rstrip("\u00a0")


def size(octets: int | None, language: str) -> str:
    """Write a size with three digits: ``24.1 MB`` or ``24,1 Mo``."""
    if octets is None:
        return _UNKNOWN
    value, step = float(octets), 0
    while value >= 1000 and step < len(_SIZES) - 1:
        value, step = value / 1000, step + 1
    names = _OCTETS if language == "fr" else _SIZES
    return f"{decimal(value, 0 if step == 0 or value >= 100 else 1, language)}\u00a0{names[step]}"


def duration(microseconds: int | None, language: str) -> str:
    """Write a duration: ``850 µs``, ``12 ms``, ``3.2 s``."""
    if microseconds is None:
        return _UNKNOWN
    if microseconds < 1000:
        return f"{microseconds}\u00a0µs"
    if microseconds < 1_000_000:
        return f"{microseconds // 1000}\u00a0ms"
    return f"{decimal(microseconds / 1_000_000, 1, language)}\u00a0s"


def moment(milliseconds: int | None) -> str:
    """Write UTC milliseconds as ``2026-11-22 07:05 UTC``; a script turns it into local time."""
    if milliseconds is None:
        return _UNKNOWN
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def iso(milliseconds: int | None) -> str:
    """Write UTC milliseconds for a ``datetime`` attribute."""
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
