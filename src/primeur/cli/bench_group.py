"""``primeur bench``: of a deployment, or of the engines of this machine."""

from typing import Any

import typer
from typer.core import TyperGroup

from primeur.cli.bench import bench
from primeur.cli.bench_engines import bench_engines


class Benches(TyperGroup):
    """``bench NAME`` measures a deployment; ``bench engines MODEL`` is the one word that is no deployment's name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the word ``deployment`` where none of our own stands."""
        first = next((word for word in args if not word.startswith("-")), None)
        if first is not None and first not in self.commands:
            args = ["deployment", *args]
        return super().parse_args(ctx, args)


benches = typer.Typer(cls=Benches, help="How fast a deployment is, and which engine suits this machine.")
benches.command("deployment")(bench)
benches.command("engines")(bench_engines)
