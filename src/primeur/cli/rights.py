"""``primeur rights``: who is asked first, and what that costs."""

from typing import Annotated, Any

import typer

from primeur.broker.rights import DAY_MS, Mode
from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, Settings, moment, print_json, print_list, print_thing, read_settings, say
from primeur.cli.simulate import Trace, progress
from primeur.core.errors import BadRequest
from primeur.core.money import NANOS
from primeur.walks.plan_procurement import Asked
from primeur.walks.simulate_procurement import simulate_procurement, summarise_procurement

commands = typer.Typer(help="Rights of first refusal: who is asked first.")
Name = Annotated[str, typer.Argument(help="Name or id of the right.")]
_UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": DAY_MS}
COLUMNS = {
    "name": lambda each: each["name"],
    "holder": lambda each: each["holder"],
    "state": lambda each: each["state"],
    "version": lambda each: each["version"],
    "mode": lambda each: each["terms"]["mode"],
    "in force from": lambda each: moment(each["effective_ms"]),
    "until": lambda each: moment(each["expires_ms"]),
    "id": lambda each: each["id"],
}


def read_span(text: str) -> int:
    """Read a span such as ``72h``, ``30s`` or ``14d`` into milliseconds.

    Raises:
        BadRequest: it is not written so.
    """
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS_MS or not number.isdecimal() or len(number) > 9:
        raise BadRequest(f"{text!r} is no span of time; write 30s, 15m, 72h or 14d")
    return int(number) * _UNITS_MS[unit]


@commands.command("list")
def list_rights(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List rights."""
    with connect(data_dir) as api:
        found = api.get("rights")["data"]
    print_list(found, COLUMNS, as_json=as_json, nothing="There are no rights; `primeur rights grant` makes one.")


@commands.command("show")
def show_right(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show a right, its versions and what is arranged with its holder."""
    with connect(data_dir) as api:
        print_thing(api.get(one("rights", name)), as_json=as_json)


@commands.command("history")
def show_history(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show all that was said under a right, oldest first."""
    with connect(data_dir) as api:
        found = api.get(f"{one('rights', name)}/history")["data"]
    columns = {
        "when": lambda each: moment(each["at_ms"]),
        "what": lambda each: each["what"],
        "who": lambda each: each["actor"],
        "about": lambda each: ", ".join(f"{key}={each['about'][key]}" for key in ("offer", "request", "answer", "units")
                                        if each["about"].get(key) is not None),
    }  # fmt: skip
    print_list(found, columns, as_json=as_json, nothing="Nothing was said yet.")


@commands.command("grant")
def grant_right(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    holder: Annotated[str, typer.Option(help="The provider that is asked first.")],
    mode: Annotated[Mode, typer.Option(help="Asked before others bid, or to match the best bid.")] = Mode.FIRST_OFFER,
    respond_within: Annotated[str, typer.Option(help="How long the holder may think, such as 72h or 30s.")] = "72h",
    lasts: Annotated[str, typer.Option(help="How long the right holds, such as 365d.")] = "365d",
    deployments: Annotated[list[str] | None, typer.Option("--deployment", help="Covers only these.")] = None,
    exclusive: Annotated[list[str] | None, typer.Option(help="Deployments that only the holder may serve.")] = None,
    zones: Annotated[list[str] | None, typer.Option("--zone", help="Where work may be done, a hard rule.")] = None,
    webhook: Annotated[str | None, typer.Option(help="Where notices are sent.")] = None,
    reply_at: Annotated[str, typer.Option(help="How the holder reaches this house: https://HOST.")] = "",
    accept_units: Annotated[int | None, typer.Option(help="Policy: accept up to so many units of an offer.")] = None,
    most_price: Annotated[float | None, typer.Option(help="Policy: while the price is at most this.")] = None,
    least_price: Annotated[float | None, typer.Option(help="Policy: while the price is at least this.")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Bind nobody yet.")] = False,
    settings: Settings = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Grant a right of first refusal; --set gives any other field, such as tolerance_percent=5."""
    policy: dict[str, Any] | None = None
    if accept_units is not None:
        policy = {
            "units": accept_units,
            "least_price_nanos": _nanos(least_price),
            "most_price_nanos": _nanos(most_price),
        }
    ask: dict[str, Any] = {
        "name": name, "holder": holder, "mode": mode.value, "response_ms": read_span(respond_within),
        "scope": {"workload_classes": deployments or None},
        "hard": {"exclusive_models": exclusive or [], "zones": zones or None},
        "arrangements": {"policy": policy, "webhook": webhook, "reply_at": reply_at},
        "activate": not draft, "lasts_ms": read_span(lasts),
    }  # fmt: skip
    with connect(data_dir) as api:
        made = api.post("rights", ask | read_settings(settings))
    _tell(made, as_json=as_json)


@commands.command("amend")
def amend_right(name: Name, settings: Settings = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Write a right's next version: --set response_ms=60000."""
    changes = read_settings(settings)
    if not changes:
        raise typer.BadParameter("say what changes: --set response_ms=60000")
    with connect(data_dir) as api:
        _tell(api.post(f"{one('rights', name)}/amendments", {"changes": changes}), as_json=as_json)


@commands.command("move")
def move_right(
    name: Name,
    move: Annotated[str, typer.Argument(help="activate, suspend, resume, release or terminate.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Activate, suspend, resume, release or terminate a right."""
    with connect(data_dir) as api:
        _tell(api.post(f"{one('rights', name)}/moves", {"move": move}), as_json=as_json)


@commands.command("price")
def price_right(
    trace: Trace,
    block_days: Annotated[int, typer.Option(help="Days that a commitment runs.")] = 1,
    on_demand_price: Annotated[float, typer.Option(help="Per unit and hour, when used.")] = 1.0,
    holder_price: Annotated[float, typer.Option(help="The holder's, per committed unit and hour.")] = 0.6,
    third_price: Annotated[float, typer.Option(help="The third party's, per committed unit and hour.")] = 0.55,
    holder_share: Annotated[float, typer.Option(help="What the holder has, as a share of the mean demand.")] = 0.6,
    as_json: AsJson = False,
) -> None:
    """Say what a right would cost before it is granted: the best plan with it, over the best without it."""
    asked = Asked(block_days, on_demand_price, holder_price, third_price, holder_share)
    with progress("pricing") as tell:
        found = summarise_procurement(simulate_procurement(trace, None, asked, tell), asked)
    wanted = ("price_of_exclusivity", "optimum_cost", "optimum_cost_without_right", "judged_days", "block_days")
    priced = {name: found[name] for name in wanted}
    if as_json:
        print_json(priced)
    else:
        print_thing({name.replace("_", " "): value for name, value in priced.items()}, as_json=False)


def _nanos(price: float | None) -> int | None:
    return None if price is None else round(price * NANOS)


def _tell(right: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(right)
    else:
        say(f"The right {right['name']} of {right['holder']}, version {right['version']}, is {right['state']}.")
