"""All doors in one table, and how a path finds its door."""

from collections.abc import Mapping
from dataclasses import dataclass

from primeur.core.errors import BadRequest
from primeur.gateway import (
    anthropic,
    batches,
    conversations,
    files,
    moderations,
    openai,
    openapi,
    probes,
    responses,
    scim,
    scim_papers,
    scim_search,
    uploads,
)
from primeur.gateway.admin import doors as admin
from primeur.gateway.doors import Door
from primeur.gateway.visit import Face

_DESCRIBED: tuple[Door, ...] = (
    *openai.DOORS,
    *responses.DOORS,
    *conversations.DOORS,
    *files.DOORS,
    *uploads.DOORS,
    *batches.DOORS,
    *moderations.DOORS,
    *anthropic.DOORS,
    *probes.DOORS,
    *admin.DOORS,
    *scim_papers.DOORS,
    *scim_search.DOORS,
    *scim.DOORS,
)
DOORS: tuple[Door, ...] = (*_DESCRIBED, *openapi.make_doors(_DESCRIBED))

_DEPLOYMENTS = "/openai/deployments/"


@dataclass(frozen=True, slots=True)
class Found:
    """A door, what its placeholders matched, and whose error bodies the caller expects.

    Attributes:
        others: methods that this path knows, when the asked one is not among them.
    """

    door: Door | None
    params: Mapping[str, str]
    face: Face
    others: tuple[str, ...] = ()


class Table:
    """Finds doors: exact paths by one look-up, paths with placeholders by their parts."""

    def __init__(self, doors: tuple[Door, ...] = DOORS) -> None:
        """Index *doors* by path."""
        self.doors = doors
        self._exact: dict[str, dict[str, Door]] = {}
        self._patterns: dict[int, list[tuple[tuple[str, ...], Door]]] = {}
        for door in doors:
            if "{" in door.path:
                parts = tuple(door.path.split("/"))
                self._patterns.setdefault(len(parts), []).append((parts, door))
            else:
                self._exact.setdefault(door.path, {})[door.method] = door

    def find(self, method: str, path: str, query: Mapping[str, str]) -> Found:
        """Find the door for a request; Azure's paths lead to the same doors as OpenAI's.

        Raises:
            BadRequest: an Azure path without its ``api-version``.
        """
        face: Face = "scim" if path.startswith("/scim/") else "openai"
        params: dict[str, str] = {}
        if path.startswith("/openai/"):
            face = "azure"
            path, params = _from_azure(path, query)
        by_method = self._exact.get(path)
        if by_method is None:
            by_method, matched = self._match(path)
            params = {**params, **matched}
        door = by_method.get(method)
        if door is not None and face == "openai":
            face = door.face
        return Found(door, params, face, tuple(sorted(by_method)) if door is None else ())

    def _match(self, path: str) -> tuple[dict[str, Door], dict[str, str]]:
        parts = path.split("/")
        found: dict[str, Door] = {}
        params: dict[str, str] = {}
        for pattern, door in self._patterns.get(len(parts), ()):
            pairs = list(zip(pattern, parts, strict=True))
            if all((there and (there == wanted or wanted[:1] == "{")) or there == wanted for wanted, there in pairs):
                found[door.method] = door
                params = {wanted[1:-1]: there for wanted, there in pairs if wanted[:1] == "{"}
        return found, params


def _from_azure(path: str, query: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Turn an Azure path into OpenAI's.

    Source: Azure OpenAI REST reference: ``/openai/deployments/{name}/...?api-version=`` and ``/openai/v1/...``.
    """
    if path.startswith("/openai/v1/"):
        return path.removeprefix("/openai"), {}
    if not query.get("api-version"):
        raise BadRequest("the query parameter 'api-version' is missing; add for example ?api-version=2024-10-21")
    if path.startswith(_DEPLOYMENTS):
        name, _, rest = path.removeprefix(_DEPLOYMENTS).partition("/")
        return f"/v1/{rest}", {"deployment": name}
    return "/v1/" + path.removeprefix("/openai/"), {}
