"""``primeur plans``: what can be subscribed to; ``primeur subscriptions``: who is subscribed to what."""

from typing import Annotated, Any

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, Concurrency, DataDir, Rpd, Rpm, Tpd, Tpm, limits, moment, print_list, print_thing

commands = typer.Typer(help="Plans: what customers can subscribe to.")
subscriptions = typer.Typer(help="Subscriptions: who is subscribed to what.")
Name = Annotated[str, typer.Argument(help="Name or id of the plan.")]
Customer = Annotated[str, typer.Argument(help="Name or id of the customer.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be.")]


@commands.command("list")
def list_plans(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List plans; removed ones too."""
    with connect(data_dir) as api:
        found = api.get("plans")["data"]
    columns = {
        "name": lambda each: each["name"],
        "a month": lambda each: f"{each['fee']} {each['currency']}",
        "included": lambda each: each["included_tokens"],
        "overage": lambda each: each["overage"] or "list price",
        "may use": lambda each: each["deployments"] or "all",
        "rate class": limits,
        "seats": lambda each: each["seats"],
        "trial days": lambda each: each["trial_days"],
        "removed": lambda each: moment(each["removed_ms"]),
    }
    print_list(found, columns, as_json=as_json, nothing="There are no plans; usage costs what its price says.")


@commands.command("create")
def create_plan(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    fee: Annotated[str, typer.Option(help="A calendar month, such as 49.00.")] = "0",
    currency: Annotated[str, typer.Option(help="Three letters, ISO 4217.")] = "EUR",
    included: Annotated[int, typer.Option(min=0, help="Tokens of a month, input and output together.")] = 0,
    overage: Annotated[str | None, typer.Option(help="A million tokens beyond; the list price by default.")] = None,
    deployment: Annotated[list[str] | None, typer.Option(help="A deployment it opens; all by default.")] = None,
    rpm: Rpm = None,
    tpm: Tpm = None,
    concurrency: Concurrency = None,
    rpd: Rpd = None,
    tpd: Tpd = None,
    seats: Annotated[int | None, typer.Option(min=1, help="People that the fee includes; any number.")] = None,
    seat_fee: Annotated[str | None, typer.Option(help="A month of one more.")] = None,
    trial_days: Annotated[int, typer.Option(min=0, help="Days without a fee.")] = 0,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Offer a plan; it never changes."""
    ask = {
        "name": name, "fee": fee, "currency": currency, "included_tokens": included, "overage": overage,
        "deployments": deployment or None, "rpm": rpm, "tpm": tpm, "concurrency": concurrency, "rpd": rpd, "tpd": tpd,
        "seats": seats, "seat_fee": seat_fee, "trial_days": trial_days,
    }  # fmt: skip
    with connect(data_dir) as api:
        print_thing(api.post("plans", ask), as_json=as_json)


@commands.command("show")
def show_plan(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show one plan."""
    with connect(data_dir) as api:
        print_thing(api.get(one("plans", name)), as_json=as_json)


@commands.command("remove")
def remove_plan(name: Name, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Take a plan off the list; refused while somebody is subscribed to it."""
    with connect(data_dir) as api:
        print_thing(api.delete(one("plans", name)), as_json=as_json)


@subscriptions.command("list")
def list_subscriptions(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List subscriptions that have not ended."""
    with connect(data_dir) as api:
        found = api.get("subscriptions")["data"]
    columns = {
        "customer": lambda each: each["customer"],
        "state": lambda each: each["state"],
        "plan": lambda each: each["terms"][-1]["plan"],
        "seats": lambda each: each["terms"][-1]["seats"],
        "this month": lambda each: f"{each['month_fee']} {each['currency']}",
        "ends": lambda each: moment(each["ends_ms"]),
    }
    print_list(found, columns, as_json=as_json, nothing="Nobody is subscribed to a plan.")


@subscriptions.command("create")
def create_subscription(
    customer: Customer,
    plan: Annotated[str, typer.Option(help="Name or id of the plan.")],
    seats: Annotated[int, typer.Option(min=1, help="People.")] = 1,
    dry_run: DryRun = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Subscribe a customer to a plan, from now on."""
    ask = {"plan": plan, "seats": seats, "dry_run": dry_run}
    with connect(data_dir) as api:
        _print(api.post(one("subscriptions", customer), ask), as_json=as_json)


@subscriptions.command("change")
def change_subscription(
    customer: Customer,
    plan: Annotated[str | None, typer.Option(help="Name or id of the plan.")] = None,
    seats: Annotated[int | None, typer.Option(min=1, help="People.")] = None,
    next_month: Annotated[bool, typer.Option("--next-month", help="With the next month, not at once.")] = False,
    dry_run: DryRun = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Move a subscription to another plan or other seats, each charged for its part of the month."""
    when = "period_end" if next_month else "now"
    ask = {"action": "change", "plan": plan, "seats": seats, "when": when, "dry_run": dry_run}
    with connect(data_dir) as api:
        _print(api.patch(one("subscriptions", customer), ask), as_json=as_json)


@subscriptions.command("cancel")
def cancel_subscription(
    customer: Customer,
    now: Annotated[bool, typer.Option("--now", help="At once, not with the month.")] = False,
    dry_run: DryRun = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Cancel a subscription, with the end of the month."""
    ask = {"action": "cancel", "when": "now" if now else "period_end", "dry_run": dry_run}
    with connect(data_dir) as api:
        _print(api.patch(one("subscriptions", customer), ask), as_json=as_json)


@subscriptions.command("resume")
def resume_subscription(
    customer: Customer, dry_run: DryRun = False, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """Go on with a subscription that is cancelled and has not ended."""
    with connect(data_dir) as api:
        _print(api.patch(one("subscriptions", customer), {"action": "resume", "dry_run": dry_run}), as_json=as_json)


@subscriptions.command("show")
def show_subscription(customer: Customer, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show a customer's subscription."""
    with connect(data_dir) as api:
        _print(api.get(one("subscriptions", customer)), as_json=as_json)


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_thing(found, as_json=True)
        return
    terms = [
        f"{each['plan']} ({each['seats']} seats) from {moment(each['from_ms'])} to {moment(each['to_ms'])}"
        + (", trial" if each["trial"] else "")
        for each in found["terms"]
    ]
    costs = [f"{each['fee']} for {each['plan']} from {moment(each['from_ms'])}" for each in found["month"]]
    print_thing(found | {"terms": "\n".join(terms), "month": "\n".join(costs)}, as_json=False)
