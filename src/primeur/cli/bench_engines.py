"""``primeur bench engines``: which engine suits this machine, found by real requests to a real deployment of each."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from primeur.cli.bench import measure, read_levels
from primeur.cli.bench_load import Load
from primeur.cli.client import Api, Refused, connect, one
from primeur.cli.reach import find_service
from primeur.cli.show import AsJson, DataDir, print_json, print_table, say
from primeur.core.errors import BadRequest, PrimeurError
from primeur.metering.benchmarks import Level

_READY_S = 300
_LOOK_S = 0.25
_NOT_MEASURED = frozenset({"echo", "ray"})


def bench_engines(
    model: Annotated[str, typer.Argument(help="A model of ours.")],
    version: Annotated[int | None, typer.Option(help="Its version; the newest by default.")] = None,
    engines: Annotated[str | None, typer.Option(help="Only these, like llamacpp,openvino.")] = None,
    concurrency: Annotated[str, typer.Option(help="Streams at a time, one level after the other.")] = "1,4,16",
    prompt_tokens: Annotated[int, typer.Option(min=1, max=1_000_000, help="About so long is a prompt.")] = 64,
    output_tokens: Annotated[int, typer.Option(min=1, max=100_000, help="So long is an answer at most.")] = 64,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Deploy the model on each engine in turn, measure it, and keep the figures: engine "auto" follows them.

    What runs meanwhile slows the figures down; an engine that cannot run the model is named with its reason.
    """
    levels = read_levels(concurrency)
    load = (prompt_tokens, output_tokens)
    told = Console(stderr=True)
    with connect(data_dir) as api:
        if api.url is None:
            raise BadRequest("engines are measured on a running service; start it with `primeur up`")
        wanted = engines.split(",") if engines else _installed(api)
        measured = 0
        for engine in wanted:
            with told.status(f"{engine}: starting"):
                try:
                    found = _try_engine(api, engine.strip(), (model, version), data_dir, levels, load)
                except PrimeurError as error:
                    told.print(f"{engine}: left out: {error.message}", markup=False, soft_wrap=True)
                    continue
            body = {"engine": engine.strip(), "version": version, "levels": [_level(one) for one in found]}
            api.post(f"{one('models', model)}/measurements", body)
            measured += 1
        if not measured:
            raise BadRequest(f"no engine could be measured with {model}; the lines above say why")
        seen = api.get(f"{one('models', model)}/measurements", version=version)["data"]
    _show(seen, as_json=as_json)


def _installed(api: Api) -> list[str]:
    return [one["name"] for one in api.get("engines")["data"] if one["name"] not in _NOT_MEASURED]


def _try_engine(
    api: Api, engine: str, what: tuple[str, int | None], data_dir: Path | None, levels: list[int], load: tuple[int, int]
) -> list[Level]:
    name = f"bench-{engine}-{time.time_ns():x}"
    path = one("deployments", name)
    slots = {} if engine != "llamacpp" else {"slots": min(max(levels), 16), "context_tokens": 512}
    api.put(path, {"model": what[0], "version": what[1], "engine": engine, "settings": slots})
    try:
        _wait_until_ready(api, path)
        return measure(find_service(data_dir), Load(name, *load), levels, None)
    finally:
        with suppress(Refused):
            api.delete(path)


def _wait_until_ready(api: Api, path: str) -> None:
    pending = ""
    for _ in range(int(_READY_S / _LOOK_S)):
        found = api.get(path)
        if found["state"] == "ready":
            return
        pending = found["pending"] or found["state"]
        if any(revision["phase"] == "failed" for revision in found["revisions"]):
            break
        time.sleep(_LOOK_S)
    raise BadRequest(pending)


def _level(level: Level) -> dict[str, Any]:
    if level.failed:
        raise BadRequest(f"{level.failed} of {level.requests} requests failed: {'; '.join(level.faults)}")
    first = level.first_token_ms.p50
    return {"streams": level.concurrency, "tokens_per_s": level.tokens_per_s, "first_token_ms": first}


def _show(seen: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(seen)
        return
    here = [measured for measured in seen if measured["here"]]
    counts = sorted({level["streams"] for measured in here for level in measured["levels"]})
    columns: dict[str, Any] = {"engine": lambda each: each["engine"]}
    for count in counts:
        columns[f"tokens/s at {count}"] = lambda each, count=count: _figure(each, count, "tokens_per_s")
        columns[f"first token at {count}"] = lambda each, count=count: _figure(each, count, "first_token_ms", " ms")
    columns["auto"] = lambda each: "chosen" if each["chosen"] else ""
    print_table(here, columns)
    for measured in here:
        if measured["chosen"]:
            say(f"\n{measured['engine']}: {measured['reason']}")


def _figure(measured: dict[str, Any], count: int, name: str, unit: str = "") -> str:
    found = next((level[name] for level in measured["levels"] if level["streams"] == count), None)
    return "" if found is None else f"{found:.0f}{unit}"
