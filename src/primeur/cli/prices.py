"""``primeur prices``: what callers pay, what capacity costs, what is negotiated, shared, and not known."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, moment, print_list, print_thing
from primeur.core.errors import BadRequest

commands = typer.Typer(help="Prices: what callers pay, what capacity costs, what is shared, and what is not known.")
Money = str | None
_UNITS = ("input", "cached", "output", "reasoning", "image", "request", "gpu_second", "gpu_hour")
From = Annotated[str | None, typer.Option("--from", metavar="DAY", help="First UTC day, such as 2026-12-01; now.")]


@commands.command("list")
def list_prices(
    buying: Annotated[bool, typer.Option("--buying", help="What capacity costs.")] = False,
    negotiated: Annotated[bool, typer.Option("--negotiated", help="What single customers pay.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List prices, those in force first: list prices per million tokens, or those by units."""
    with connect(data_dir) as api:
        if buying or negotiated:
            _list_rates(api.get("rates", side="buy" if buying else "sell")["data"], as_json=as_json)
            return
        found = api.get("prices")["data"]
    columns = {
        "deployment": lambda each: each["deployment"],
        "input": lambda each: each["input"],
        "cached": lambda each: each["cached"],
        "output": lambda each: each["output"],
        "currency": lambda each: each["currency"],
        "from": lambda each: moment(each["from_ms"]),
    }
    print_list(found, columns, as_json=as_json, nothing="No deployment has a price; its costs are unknown, not zero.")


@commands.command("set")
def set_price(
    deployment: Annotated[str, typer.Argument(help="Name or alias of the deployment; all: every one.")],
    provider: Annotated[str, typer.Option("--buy-from", help="What this provider, or engine of ours, costs us.")] = "",
    customer: Annotated[str, typer.Option("--for", help="Only for this customer, organisation or project.")] = "",
    input_price: Annotated[Money, typer.Option("--input", help="A million input tokens, such as 2.50.")] = None,
    cached: Annotated[Money, typer.Option("--cached", help="A million cached ones; as input.")] = None,
    output: Annotated[Money, typer.Option("--output", help="A million output tokens.")] = None,
    reasoning: Annotated[Money, typer.Option("--reasoning", help="A million reasoning tokens; as output.")] = None,
    image: Annotated[Money, typer.Option("--image", help="A picture in a prompt.")] = None,
    request: Annotated[Money, typer.Option("--request", help="A request.")] = None,
    gpu_second: Annotated[Money, typer.Option("--gpu-second", help="A second that a request took.")] = None,
    gpu_hour: Annotated[Money, typer.Option("--gpu-hour", help="An hour of them.")] = None,
    tier: Annotated[
        list[str] | None, typer.Option("--tier", metavar="UNIT:ABOVE=PRICE", help="What is beyond; may be repeated.")
    ] = None,
    monthly: Annotated[bool, typer.Option("--monthly", help="Tiers count a month's use, not one request's.")] = False,
    prepaid: Annotated[bool, typer.Option("--prepaid", help="Bought from what was paid ahead.")] = False,
    currency: Annotated[str, typer.Option(help="Three letters, ISO 4217.")] = "EUR",
    starts: From = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Set a price: the list price, one customer's own, or what capacity costs; earlier versions stay."""
    said = (input_price, cached, output, reasoning, image, request, gpu_second, gpu_hour)
    units = _with_tiers(
        {unit: price for unit, price in zip(_UNITS, said, strict=True) if price is not None}, tier or []
    )
    common: dict[str, Any] = {"currency": currency, "from_day": starts, **units}
    plain = not (tier or provider or customer or units.keys() - {"input", "cached", "output"})
    with connect(data_dir) as api:
        if plain and deployment != "all" and {"input", "output"} <= units.keys():
            print_thing(api.put(one("prices", deployment), common), as_json=as_json)
            return
        ask = common | {
            "provider": provider, "customer": customer, "deployment": "" if deployment == "all" else deployment,
            "per": "month" if monthly else "request", "prepaid": prepaid,
        }  # fmt: skip
        made = api.post("rates", ask)
    print_thing(made if as_json else made | {"units": _units(made)}, as_json=as_json)


@commands.command("unpriced")
def list_unpriced(
    days: Annotated[int, typer.Option(min=1, max=3660, help="How far back to look for what was used.")] = 30,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List what has no price, of selling and of buying; what was used of it costs unknown, not zero."""
    with connect(data_dir) as api:
        found = api.get("prices/unpriced", days=days)["data"]
    columns = {
        "price of": lambda each: "selling" if each["side"] == "sell" else "buying",
        "deployment": lambda each: each["deployment"],
        "provider": lambda each: each["provider"] or "-",
        "missing now": lambda each: each["now"],
        "requests": lambda each: each["requests"],
        "tokens": lambda each: each["tokens"],
        "cost": lambda each: each["cost"],
        "last used": lambda each: moment(each["last_ms"]),
    }
    print_list(found, columns, as_json=as_json, nothing="Everything has a price.")


@commands.command("share")
def set_share(
    partner: Annotated[str, typer.Argument(help="Who gets it.")],
    part: Annotated[str, typer.Argument(help="20%, 0.2 or 1/5 of revenue; 0 ends it.")],
    provider: Annotated[str, typer.Option(help="Only of what this provider serves.")] = "",
    deployment: Annotated[str, typer.Option(help="Only of this deployment.")] = "",
    starts: From = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Give a partner a share of revenue."""
    ask = {"partner": partner, "part": part, "provider": provider, "deployment": deployment, "from_day": starts}
    with connect(data_dir) as api:
        print_thing(api.post("shares", ask), as_json=as_json)


@commands.command("shares")
def list_shares(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List partners' shares of revenue, the newest first."""
    with connect(data_dir) as api:
        found = api.get("shares")["data"]
    columns = {
        "partner": lambda each: each["partner"],
        "share": lambda each: each["part"],
        "provider": lambda each: each["provider"] or "all",
        "deployment": lambda each: each["deployment"] or "all",
        "from": lambda each: moment(each["from_ms"]),
    }
    print_list(found, columns, as_json=as_json, nothing="Nobody has a share of revenue.")


def _with_tiers(units: Mapping[str, Any], tiers: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = dict(units)
    for tier in tiers:
        unit, _, rest = tier.partition(":")
        above, equals, price = rest.partition("=")
        unit = unit.replace("-", "_")
        if unit not in found or not equals or not above.isdigit():
            raise BadRequest(f"--tier takes UNIT:ABOVE=PRICE of a unit that has a price, not {tier!r}")
        if isinstance(found[unit], str):
            found[unit] = [{"above": 0, "price": found[unit]}]
        found[unit].append({"above": int(above), "price": price})
    return found


def _list_rates(found: list[Any], *, as_json: bool) -> None:
    columns = {
        "for": lambda each: each["provider"] or each["customer"] or "everybody",
        "deployment": lambda each: each["deployment"] or "all",
        "prices": _units,
        "currency": lambda each: each["currency"],
        "prepaid": lambda each: each["prepaid"],
        "from": lambda each: moment(each["from_ms"]),
    }
    print_list(found, columns, as_json=as_json, nothing="There are none; what they would say is unknown, not zero.")


def _units(each: Mapping[str, Any]) -> str:
    steps = [(unit, step) for unit, found in each["units"].items() for step in found]
    words = [f"{unit} {step['price']}" + (f" above {step['above']}" if step["above"] else "") for unit, step in steps]
    return ", ".join(words) + (" a month" if each["per"] == "month" else "")
