"""The part of ``primeur deployments`` about terms: type, reserved throughput, upgrades."""

from typing import Annotated, Any

import typer

from primeur.cli.client import connect, one
from primeur.cli.show import AsJson, DataDir, moment, print_json, say
from primeur.core.errors import BadRequest

Kind = Annotated[str | None, typer.Option("--type", help="local, standard, provisioned or batch.")]
ReservedTpm = Annotated[
    int | None, typer.Option(min=1, help="Tokens a minute that are reserved for a provisioned deployment.")
]
UpgradeWord = Annotated[
    str | None,
    typer.Option(
        "--upgrade",
        help="When it moves to another version by itself: new-default, expired or never (or as Azure calls them).",
    ),
]
UPGRADES = {
    "new-default": "OnceNewDefaultVersionAvailable",
    "expired": "OnceCurrentVersionExpired",
    "never": "NoAutoUpgrade",
}


def add_terms(commands: typer.Typer) -> None:
    """Add the command to the group ``deployments``."""
    commands.command("terms")(set_terms)


def read_terms(kind: str | None, reserved_tpm: int | None, upgrade: str | None) -> dict[str, Any]:
    """Give what was said, as the API takes it."""
    policy = None if upgrade is None else UPGRADES.get(upgrade, upgrade)
    said = {"type": kind, "reserved_tokens_per_minute": reserved_tpm, "upgrade": policy}
    return {field: value for field, value in said.items() if value is not None}


def set_terms(
    name: Annotated[str, typer.Argument(help="Name, id or alias of the deployment.")],
    kind: Kind = None,
    reserved_tpm: ReservedTpm = None,
    upgrade: UpgradeWord = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Set a deployment's type, reserved throughput and upgrade policy; what it runs stays."""
    asked = read_terms(kind, reserved_tpm, upgrade)
    if not asked:
        raise BadRequest("say what to set: --type, --reserved-tpm or --upgrade")
    with connect(data_dir) as api:
        found = api.put(one("deployments", name) + "/terms", asked)
    if as_json:
        print_json(found)
    else:
        say_terms(found)


def say_terms(found: dict[str, Any]) -> None:
    """Print a deployment's terms for people."""
    words = [f"{found['name']} is {found['type']}"]
    if found["reserved_tokens_per_minute"] is not None:
        used = found["utilization"] or 0.0
        words.append(f"{found['reserved_tokens_per_minute']} tokens a minute reserved, {used:.0%} in use")
    words.append(f"upgrade policy {found['upgrade']}")
    if found["retires_ms"] is not None:
        words.append(f"its version ends on {moment(found['retires_ms']).partition(' ')[0]}")
    say(", ".join(words))
