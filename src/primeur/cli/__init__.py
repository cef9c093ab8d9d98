"""The command line; one file per noun."""

import sys

import typer

from primeur.cli import (
    alerts,
    audit,
    budgets,
    capacity,
    customers,
    data,
    deployments,
    distributions,
    documents,
    guards,
    invoices,
    keys,
    ledger,
    ledger_books,
    margins,
    members,
    model_store,
    organisations,
    outlooks,
    plans,
    prices,
    projects,
    providers,
    refusals,
    rights,
    simulate,
    sources,
    statements,
    status,
    train,
    usage,
    webhooks,
)
from primeur.cli.backup import backup, restore
from primeur.cli.bench_group import benches
from primeur.cli.chat import chat
from primeur.cli.up import up
from primeur.core.errors import CallerError, PrimeurError

app = typer.Typer(
    help="Primeur: the AI service platform an organisation runs itself.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(up)
app.command()(chat)
app.command()(backup)
app.command()(restore)
app.command("status")(status.show_status)
app.command("apply")(status.apply)
app.command("sign-in-link")(status.make_link)
app.command("usage")(usage.show_usage)
app.command("margins")(margins.show_margins)
app.command("forecast")(outlooks.show_forecast)
ledger.commands.command("what-if")(outlooks.ask_what_if)
ledger.commands.command("accounts")(ledger_books.list_accounts)
ledger.commands.command("balances")(ledger_books.list_balances)
ledger.commands.command("transactions")(ledger_books.list_transactions)
ledger.commands.command("export")(ledger_books.export_ledger)
for _name, _group in (
    ("bench", benches),
    ("models", model_store.commands),
    ("deployments", deployments.commands),
    ("keys", keys.commands),
    ("projects", projects.commands),
    ("organisations", organisations.commands),
    ("members", members.commands),
    ("service-accounts", members.service_accounts),
    ("roles", organisations.roles),
    ("sessions", organisations.sessions),
    ("sign-in", organisations.sign_in),
    ("providers", providers.commands),
    ("rights", rights.commands),
    ("refusals", refusals.commands),
    ("sources", sources.commands),
    ("capacity", capacity.commands),
    ("prices", prices.commands),
    ("ledger", ledger.commands),
    ("budgets", budgets.commands),
    ("limits", budgets.limit_commands),
    ("guards", guards.commands),
    ("plans", plans.commands),
    ("subscriptions", plans.subscriptions),
    ("customers", customers.commands),
    ("credits", customers.credit_commands),
    ("invoices", invoices.commands),
    ("statements", statements.commands),
    ("distributions", distributions.commands),
    ("alerts", alerts.commands),
    ("requests", usage.requests),
    ("simulate", simulate.commands),
    ("train", train.commands),
    ("audit", audit.commands),
    ("data", data.commands),
    ("documents", documents.commands),
    ("webhooks", webhooks.commands),
):
    app.add_typer(_group, name=_name)


@app.callback()
def _help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: list[str] | None = None) -> None:
    """Run one command; what goes wrong is one line on stderr and an exit status of 1 (ours) or 2 (the caller's)."""
    try:
        sys.exit(app(arguments, standalone_mode=False))
    except PrimeurError as error:
        _fail(error.message, 2 if isinstance(error, CallerError) else 1)
    except typer.TyperException as error:
        # Misuse of a command has words of its own; what they are made by is not public in Typer.
        tell = getattr(error, "format_message", error.__str__)
        _fail(f"{tell()} (--help tells more)", 2)
    except typer.Abort:
        _fail("stopped", 1)


def _fail(words: str, status_code: int) -> None:
    line = " ".join(words.split())
    print(f"primeur: {line}", file=sys.stderr)  # noqa: T201
    sys.exit(status_code)
