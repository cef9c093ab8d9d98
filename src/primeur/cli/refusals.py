"""``primeur refusals``: what the holders of rights did not serve, and why."""

from typing import Annotated

import typer

from primeur.cli.client import connect
from primeur.cli.show import AsJson, DataDir, moment, print_list

commands = typer.Typer(help="Refusals: what the holders of rights did not serve, and why.")


@commands.command("list")
def list_refusals(
    reason: Annotated[str | None, typer.Option(help="Such as NO_HEADROOM or THROTTLED.")] = None,
    deployment: Annotated[str | None, typer.Option(help="Of this deployment only.")] = None,
    text: Annotated[str | None, typer.Option(help="Part of a request's id or error.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List requests that the holder did not serve, newest first, with the reason and its evidence."""
    with connect(data_dir) as api:
        found = api.get("refusals", reason=reason, deployment=deployment, text=text, limit=limit)["data"]
    columns = {
        "when": lambda each: moment(each["at_ms"]),
        "reason": lambda each: each["refusal"],
        "deployment": lambda each: each["deployment"],
        "served by": lambda each: each["provider"] or "nobody",
        "evidence": lambda each: each["evidence"],
        "request": lambda each: each["request_id"],
    }
    print_list(found, columns, as_json=as_json, nothing="No holder was passed over.")
