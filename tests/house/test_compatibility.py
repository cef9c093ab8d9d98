"""docs/compatibility.md says of every parameter what each kind of target makes of it; the tables are made here.

``python tests/house/test_compatibility.py`` writes them anew.
"""

import re
from pathlib import Path

import msgspec
import pytest

from primeur.archive.response_wire import CreateResponse
from primeur.core.chat import Dialect, Route
from primeur.core.ports import ProviderOrder
from primeur.core.wire import ChatRequest, CompletionRequest, EmbeddingRequest
from primeur.engines.echo import ENGINE as ECHO
from primeur.engines.llamacpp import ENGINE as LLAMACPP
from primeur.engines.openvino import ENGINE as OPENVINO
from primeur.engines.transformers import ENGINE as TRANSFORMERS
from primeur.engines.vllm import ENGINE as VLLM
from primeur.providers.azure_openai import make_dialect
from primeur.providers.dialects import SERVER_ROUTES, SERVERS
from primeur.providers.sim import PROVIDER as SIM
from primeur.providers.sim import Sim
from primeur.registry.routing import BEYOND_OPENAI

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
TYPES: dict[Route, type[msgspec.Struct]] = {
    Route.CHAT: ChatRequest,
    Route.COMPLETIONS: CompletionRequest,
    Route.EMBEDDINGS: EmbeddingRequest,
}
ALL = frozenset(Route)
AZURE_V1 = frozenset({Route.CHAT, Route.EMBEDDINGS})


def kinds() -> dict[str, tuple[Dialect, frozenset[Route]]]:
    """Every kind of target: engines, then servers, then clouds."""
    sim: Sim = SIM
    return {
        "llamacpp engine": (LLAMACPP.dialect, ALL),
        "openvino engine": (OPENVINO.dialect, frozenset({Route.CHAT, Route.COMPLETIONS})),
        "transformers engine": (TRANSFORMERS.dialect, frozenset({Route.CHAT, Route.COMPLETIONS})),
        "vllm engine": (VLLM.dialect, ALL),
        "echo engine": (ECHO.dialect, ALL),
        **{name: (dialect, SERVER_ROUTES[name]) for name, dialect in SERVERS.items()},
        "azure v1": (make_dialect("v1"), AZURE_V1),
        "azure 2024-10-21": (make_dialect("2024-10-21"), ALL),
        "sim": (sim.face(ProviderOrder({}, {}, "m")).dialect, ALL),
    }


def cell(name: str, dialect: Dialect, route: Route) -> str:
    """Say in a word what becomes of parameter *name*."""
    if name == "primeur":
        return "here"
    if name in dialect.refuses.get(route, {}) or (name in BEYOND_OPENAI and name not in dialect.accepts):
        return "refused"
    if name == "stream_options" and not dialect.streams_usage:
        return "here"
    return f"`{dialect.renames[name]}`" if name in dialect.renames else "yes"


def table(route: Route) -> str:
    """Write the table of one route."""
    serving = {name: dialect for name, (dialect, routes) in kinds().items() if route in routes}
    lines = [f"| parameter | {' | '.join(serving)} |", "|---" * (len(serving) + 1) + "|"]
    for name in sorted(TYPES[route].__struct_fields__, key=lambda one: (one in BEYOND_OPENAI, one)):
        cells = " | ".join(cell(name, dialect, route) for dialect in serving.values())
        lines.append(f"| `{name}` | {cells} |")
    return "\n".join(lines)


def with_tables(page: str) -> str:
    """Put the tables between their marks."""
    for route in Route:
        begin, end = f"<!-- {route}: made by tests/house/test_compatibility.py -->", f"<!-- end of {route} -->"
        made = f"{begin}\n{table(route)}\n{end}"
        page = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _, made=made: made, page, flags=re.DOTALL)
    return page


@pytest.mark.parametrize("route", Route)
def test_the_page_says_what_the_dialects_do(route):
    """The tables are those that the types and dialects make; the module's first lines say how to write them anew."""
    assert table(route) in PAGE.read_text()


def test_the_page_has_every_parameter_of_responses():
    """Each field of the request stands in the section on responses."""
    section = PAGE.read_text().partition("## Responses")[2].partition("## Messages")[0]
    assert [name for name in CreateResponse.__struct_fields__ if f"`{name}`" not in section] == []


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
