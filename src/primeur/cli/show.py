"""What commands print: tables for people, JSON for programs; and the options that all of them share."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from primeur.core.errors import BadRequest
from primeur.core.money import show_money

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder of the service; PRIMEUR_DATA_DIR or ./primeur-data by default."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Rpm = Annotated[int | None, typer.Option(min=1, help="Requests a minute.")]
Tpm = Annotated[int | None, typer.Option(min=1, help="Tokens a minute, input and output together.")]
Concurrency = Annotated[int | None, typer.Option(min=1, help="Requests in flight.")]
Rpd = Annotated[int | None, typer.Option(min=1, help="Requests a UTC day.")]
Tpd = Annotated[int | None, typer.Option(min=1, help="Tokens a UTC day.")]
NoLimits = Annotated[bool, typer.Option("--no-limits", help="Take every limit away first.")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting; may be repeated.")]

Columns = Mapping[str, Callable[[Any], Any]]
_WIDE = 200


def print_json(value: Any) -> None:
    """Print *value* for programs."""
    print(json.dumps(value, ensure_ascii=False, indent=2))  # noqa: T201


def say(words: str) -> None:
    """Print a line for people."""
    _console().print(words, markup=False, highlight=False, soft_wrap=True)


def print_list(found: list[Any], columns: Columns, *, as_json: bool, nothing: str) -> None:
    """Print a list: JSON, a table, or one line when there is *nothing* in it."""
    if as_json:
        print_json(found)
    elif not found:
        say(nothing)
    else:
        print_table(found, columns)


def print_table(found: Iterable[Any], columns: Columns) -> None:
    """Print a table, one row for each thing."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for each in found:
        table.add_row(*(_cell(read(each)) for read in columns.values()))
    _console().print(table, highlight=False)


def print_thing(found: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one thing: JSON, or its fields line by line."""
    if as_json:
        print_json(found)
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in found.items():
        table.add_row(name, _cell(moment(value) if name.endswith("_ms") and isinstance(value, int) else value))
    _console().print(table, highlight=False)


def moment(at_ms: int | None) -> str:
    """Write a time for people, in UTC."""
    if at_ms is None:
        return "-"
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def size(count: int | None) -> str:
    """Write bytes for people."""
    if count is None:
        return "-"
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def costs(by_currency: Mapping[str, int], unpriced: int) -> str:
    """Write costs by currency; what has no price is said and not counted as zero."""
    known = [show_money(nanos, currency) for currency, nanos in sorted(by_currency.items())]
    return " + ".join([*known, *([f"{unpriced} of unknown price"] if unpriced else [])]) or "-"


def limit_changes(
    rpm: int | None, tpm: int | None, concurrency: int | None, rpd: int | None, tpd: int | None, *, no_limits: bool
) -> dict[str, object]:
    """The limits that a command changes: those given, or with *no_limits* every one, gone where not given."""
    given = {"rpm": rpm, "tpm": tpm, "concurrency": concurrency, "rpd": rpd, "tpd": tpd}
    return {field: value for field, value in given.items() if no_limits or value is not None}


def limits(each: Mapping[str, Any]) -> str:
    """Write the limits of a key or project: ``60 rpm, 1000 tpm``."""
    found = each["limits"]
    words = {"rpm": "rpm", "tpm": "tpm", "concurrency": "at once", "rpd": "a day", "tpd": "tokens a day"}
    return ", ".join(f"{found[name]} {word}" for name, word in words.items() if found[name] is not None) or "none"


def read_settings(pairs: list[str] | None) -> dict[str, Any]:
    """Read ``NAME=VALUE`` pairs; values that are JSON are numbers, truth values and lists, all others texts.

    Raises:
        BadRequest: no equals sign.
    """
    found: dict[str, Any] = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise BadRequest(f"--set takes NAME=VALUE, not {pair!r}")
        try:
            found[name] = json.loads(value)
        except json.JSONDecodeError:
            found[name] = value
    return found


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(part) for part in value) or "-"
    return str(value)


def _console() -> Console:
    # A pipe has no width of its own: lines stay whole for whatever reads them.
    return Console(width=None if sys.stdout.isatty() else _WIDE, markup=False)
