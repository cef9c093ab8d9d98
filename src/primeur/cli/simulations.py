"""``primeur simulate list`` and ``--keep``: simulations that the service keeps, and the console draws."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from primeur.cli.client import connect
from primeur.cli.show import AsJson, DataDir, moment, print_list
from primeur.walks.plot_simulation import figures_of


def keep(
    kind: str, trace: Path, summary: Mapping[str, object], drawing: Mapping[str, Any], data_dir: Path | None
) -> None:
    """Give what was found to the service; raises what the API answers."""
    found = {"kind": kind, "trace": trace.name[:200], "figures": figures_of(summary), "drawing": drawing}
    with connect(data_dir) as api:
        api.post("simulations", found)


def list_simulations(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List simulations that were kept, newest first; the console draws them."""
    with connect(data_dir) as api:
        found = api.get("simulations")["data"]
    columns = {
        "id": lambda each: each["id"],
        "when": lambda each: moment(each["created_ms"]),
        "what": lambda each: each["kind"],
        "trace": lambda each: each["trace"],
        "ratio to optimum": lambda each: _rounded(each, "ratio_to_optimum"),
        "price of exclusivity": lambda each: _rounded(each, "price_of_exclusivity"),
        "spill share": lambda each: _rounded(each, "spill_share"),
        "violations": lambda each: each["figures"].get("contract_violations"),
    }
    nothing = "Nothing is kept; `primeur simulate requests TRACE --keep` keeps what it finds."
    print_list(found, columns, as_json=as_json, nothing=nothing)


def _rounded(each: Mapping[str, Any], name: str) -> str | None:
    value = each["figures"].get(name)
    return None if value is None else f"{value:.4f}"
