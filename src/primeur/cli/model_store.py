"""``primeur models verify``, ``export``, ``import`` and ``collect``: weights as they lie in the store."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from primeur.cli.client import connect, one
from primeur.cli.model_caches import find_huggingface, find_ollama
from primeur.cli.models import Name, commands
from primeur.cli.send_weights import send_weights
from primeur.cli.show import AsJson, DataDir, print_json, print_list, say, size
from primeur.core.errors import BadRequest, PrimeurError

# Imported for its commands, which join those of the same group.
__all__ = ["commands"]
Version = Annotated[int | None, typer.Option(help="Its version; the newest by default.")]


@commands.command("verify")
def verify_model(
    name: Annotated[str | None, typer.Argument(help="Name or id of the model; all of them by default.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Read weights again and compare them with their digests."""
    found = []
    with connect(data_dir) as api:
        for each in [name] if name else [model["name"] for model in api.get("models")["data"]]:
            found += [{"model": each} | told for told in api.get(one("models", each) + "/verification")["data"]]
    columns = {
        "model": lambda each: each["model"],
        "version": lambda each: each["version"],
        "digest": lambda each: each["digest"],
        "state": lambda each: "whole" if each["whole"] else each["fault"],
    }
    print_list(found, columns, as_json=as_json, nothing="There are no weights.")
    broken = sorted({each["model"] for each in found if not each["whole"]})
    if broken:
        raise PrimeurError(f"weights of {', '.join(broken)} are not what their digest says; add them again")


@commands.command("export")
def export_model(
    name: Name,
    target: Annotated[Path, typer.Argument(help="File to write: GGUF, or a tar archive of a folder.")],
    version: Version = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Write a version's weights into a file."""
    if target.exists():
        raise BadRequest(f"{target} exists; name a new file")
    query = {"version": str(version)} if version is not None else {}
    try:
        with connect(data_dir) as api, target.open("xb") as file:
            written = api.download(one("models", name) + "/export", file, **query)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    if as_json:
        print_json({"file": str(target), "size_bytes": written})
    else:
        say(f"{target}: {size(written)}")


@commands.command("import")
def import_models(
    cache: Annotated[Literal["ollama", "huggingface"], typer.Argument(help="Whose cache.")],
    folder: Annotated[Path | None, typer.Argument(help="Its folder, if not the usual one.")] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="This model; may be said several times.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what is there.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Add the weights that another program has fetched; what is known already stays one version."""
    found = {"ollama": find_ollama, "huggingface": find_huggingface}[cache](folder)
    missing = sorted(set(only or ()) - {each.name for each in found})
    if missing:
        raise BadRequest(f"the cache has no {missing[0]!r}; --dry-run shows what it has")
    chosen = [each for each in found if not only or each.name in only]
    rows = []
    with connect(data_dir) as api:
        for each in chosen:
            row = {"name": each.name, "path": str(each.path), "version": None, "fault": ""}
            if not dry_run:
                try:
                    told = send_weights(api, each.name, each.path, each.files, origin=each.origin, sha256=each.sha256)
                    row["version"] = told["number"]
                except PrimeurError as error:
                    row["fault"] = error.message
            rows.append(row)
    if as_json:
        print_json(rows)
    else:
        columns = {
            "name": lambda each: each["name"],
            "version": lambda each: each["version"] or "-",
            "what": lambda each: each["fault"] or each["path"],
        }
        print_list(rows, columns, as_json=False, nothing="The cache has no weights that can be used here.")
    if any(row["fault"] for row in rows):
        raise PrimeurError("some weights could not be added; the list says why")


@commands.command("collect")
def collect_weights(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove weights that nothing names: what a revision names always stays."""
    with connect(data_dir) as api:
        found = api.post("weights/collect", {"dry_run": dry_run})["data"]
    columns = {"path": lambda each: each["path"], "size": lambda each: size(each["size_bytes"])}
    print_list(found, columns, as_json=as_json, nothing="Nothing lies in the store that nothing names.")
