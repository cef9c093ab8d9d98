"""``primeur budgets``: what may be spent; ``primeur limits``: how much organisations and deployments may do."""

from enum import StrEnum
from typing import Annotated

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import (
    AsJson,
    Concurrency,
    DataDir,
    NoLimits,
    Rpd,
    Rpm,
    Tpd,
    Tpm,
    limit_changes,
    limits,
    moment,
    print_json,
    print_list,
    print_thing,
    say,
)
from primeur.core.errors import BadRequest

commands = typer.Typer(help="Budgets: what a key, project, organisation or deployment may spend.")
limit_commands = typer.Typer(help="Limits of organisations and deployments; keys and projects carry theirs.")


class Scope(StrEnum):
    """Whose budget."""

    KEY = "key"
    PROJECT = "project"
    ORGANISATION = "organisation"
    DEPLOYMENT = "deployment"


class Wide(StrEnum):
    """Whose limits."""

    ORGANISATION = "organisation"
    DEPLOYMENT = "deployment"


class Period(StrEnum):
    """For how long a budget is."""

    DAY = "day"
    MONTH = "month"
    TOTAL = "total"


Whose = Annotated[Scope, typer.Argument(help="Whose budget.")]
Name = Annotated[str, typer.Argument(help="Name or id.")]
For = Annotated[Period, typer.Option(help="A UTC day, a UTC month, or everything.")]


@commands.command("list")
def list_budgets(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List budgets and what is spent of them."""
    with connect(data_dir) as api:
        found = api.get("budgets")["data"]
    columns = {
        "of": lambda each: f"{each['scope']} {each['name']}",
        "period": lambda each: each["period"],
        "spent": lambda each: each["spent"],
        "limit": lambda each: each["limit"],
        "soft": lambda each: each["soft"],
        "currency": lambda each: each["currency"],
        "state": lambda each: each["state"],
        "until": lambda each: moment(each["to_ms"]),
    }
    print_list(found, columns, as_json=as_json, nothing="There are no budgets; `primeur budgets set` makes one.")


@commands.command("set")
def set_budget(
    scope: Whose,
    name: Name,
    limit: Annotated[str, typer.Argument(help="Amount, such as 10.00.")],
    period: For = Period.MONTH,
    currency: Annotated[str, typer.Option(help="Three letters, ISO 4217.")] = "EUR",
    soft: Annotated[str | None, typer.Option(help="Amount from where on somebody is to be told.")] = None,
    allow_unpriced: Annotated[bool, typer.Option("--allow-unpriced", help="Let in what has no price.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Set a budget; it holds from now on."""
    ask = {"limit": limit, "currency": currency, "soft": soft, "allows_unpriced": allow_unpriced}
    with connect(data_dir) as api:
        print_thing(api.put(_path(scope, name, period), ask), as_json=as_json)


@commands.command("show")
def show_budget(
    scope: Whose, name: Name, period: For = Period.MONTH, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Show one budget."""
    with connect(data_dir) as api:
        print_thing(api.get(_path(scope, name, period)), as_json=as_json)


@commands.command("remove")
def remove_budget(
    scope: Whose, name: Name, period: For = Period.MONTH, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Take a budget away."""
    with connect(data_dir) as api:
        gone = api.delete(_path(scope, name, period))
    if as_json:
        print_json(gone)
    else:
        say(f"The budget of {scope.value} {name} for the {period.value} is gone.")


@limit_commands.command("list")
def list_limits(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List limits of organisations and deployments."""
    with connect(data_dir) as api:
        found = api.get("limits")["data"]
    columns = {"of": lambda each: f"{each['scope']} {each['name']}", "limits": limits}
    print_list(found, columns, as_json=as_json, nothing="No organisation and no deployment has limits of its own.")


@limit_commands.command("set")
def set_limits(
    scope: Annotated[Wide, typer.Argument(help="Whose limits.")],
    name: Name,
    rpm: Rpm = None,
    tpm: Tpm = None,
    concurrency: Concurrency = None,
    rpd: Rpd = None,
    tpd: Tpd = None,
    no_limits: NoLimits = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Set limits of an organisation or a deployment; what is not given stays."""
    change = limit_changes(rpm, tpm, concurrency, rpd, tpd, no_limits=no_limits)
    if not change:
        raise BadRequest("say what to change: --rpm, --tpm, --concurrency, --rpd, --tpd or --no-limits")
    with connect(data_dir) as api:
        print_thing(api.patch(one(f"limits/{scope.value}", name), change), as_json=as_json)


def _path(scope: Scope, name: str, period: Period) -> str:
    return f"{one(f'budgets/{scope.value}', name)}/{period.value}"
