"""The command line; one file per noun, of which only what is asked for is loaded."""

import sys
from importlib import import_module
from typing import Any

import typer

from primeur.core.errors import CallerError, PrimeurError

# Loading every noun takes longer than most commands do.
_COMMANDS = {
    "up": "up.up",
    "chat": "chat.chat",
    "backup": "backup.backup",
    "restore": "backup.restore",
    "status": "status.show_status",
    "apply": "status.apply",
    "sign-in-link": "status.make_link",
    "usage": "usage.show_usage",
    "margins": "margins.show_margins",
    "forecast": "outlooks.show_forecast",
}
_GROUPS = {
    "bench": "bench_group.benches",
    "models": "model_store.commands",
    "deployments": "deployments.commands",
    "keys": "keys.commands",
    "projects": "projects.commands",
    "organisations": "organisations.commands",
    "members": "members.commands",
    "service-accounts": "members.service_accounts",
    "roles": "organisations.roles",
    "sessions": "organisations.sessions",
    "sign-in": "organisations.sign_in",
    "providers": "providers.commands",
    "rights": "rights.commands",
    "refusals": "refusals.commands",
    "sources": "sources.commands",
    "capacity": "capacity.commands",
    "prices": "prices.commands",
    "ledger": "ledger_group.commands",
    "budgets": "budgets.commands",
    "limits": "budgets.limit_commands",
    "guards": "guards.commands",
    "plans": "plans.commands",
    "subscriptions": "plans.subscriptions",
    "customers": "customers.commands",
    "credits": "customers.credit_commands",
    "invoices": "invoices.commands",
    "statements": "statements.commands",
    "distributions": "distributions.commands",
    "alerts": "alerts.commands",
    "requests": "usage.requests",
    "simulate": "simulate.commands",
    "train": "train.commands",
    "audit": "audit.commands",
    "data": "data.commands",
    "documents": "documents.commands",
    "webhooks": "webhooks.commands",
}


def make_app(wanted: str | None = None) -> typer.Typer:
    """Give the command line with the command or group of this name; with all of them when there is none of it."""
    app = typer.Typer(
        help="Primeur: the AI service platform an organisation runs itself.",
        invoke_without_command=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_help)
    known = wanted in _COMMANDS or wanted in _GROUPS
    for name, place in _COMMANDS.items():
        if name == wanted or not known:
            app.command(name)(_load(place))
    for name, place in _GROUPS.items():
        if name == wanted or not known:
            app.add_typer(_load(place), name=name)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run one command; what goes wrong is one line on stderr and an exit status of 1 (ours) or 2 (the caller's)."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        sys.exit(make_app(words[0] if words else None)(words, standalone_mode=False))
    except PrimeurError as error:
        _fail(error.message, 2 if isinstance(error, CallerError) else 1)
    except typer.TyperException as error:
        # Misuse of a command has words of its own; what they are made by is not public in Typer.
        tell = getattr(error, "format_message", error.__str__)
        _fail(f"{tell()} (--help tells more)", 2)
    except typer.Abort:
        _fail("stopped", 1)


def _help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _load(place: str) -> Any:
    module, _, name = place.partition(".")
    return getattr(import_module(f"primeur.cli.{module}"), name)


def _fail(words: str, status_code: int) -> None:
    line = " ".join(words.split())
    print(f"primeur: {line}", file=sys.stderr)  # noqa: T201
    sys.exit(status_code)
