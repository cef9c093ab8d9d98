"""The command line; one file per noun."""

import sys

import typer

from primeur.cli.chat import chat
from primeur.cli.up import up
from primeur.core.errors import CallerError, PrimeurError

app = typer.Typer(
    help="Primeur: the AI service platform an organisation runs itself.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(up)
app.command()(chat)


@app.callback()
def _group() -> None:
    """Keep ``primeur up`` a sub-command while it is the only one."""


def main() -> None:
    """Run one command; what goes wrong is one line on stderr and an exit status of 1 (ours) or 2 (the caller's)."""
    try:
        app()
    except PrimeurError as error:
        print(f"primeur: {error.message}", file=sys.stderr)  # noqa: T201
        sys.exit(2 if isinstance(error, CallerError) else 1)
