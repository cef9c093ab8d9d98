"""Write the documents that a security officer asks for from what is so at this moment."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from typing import Any

import msgspec

from primeur.core.errors import NotFound
from primeur.governance import rules
from primeur.governance.data_rows import find_policy
from primeur.governance.rows import list_projects
from primeur.governance.security_documents import (
    Document,
    bill_of_materials,
    data_document,
    model_document,
    providers_document,
    roles_document,
)
from primeur.registry import deployment_rows, rows
from primeur.store.database import Tx
from primeur.walks.house import House

SBOM = "sbom"
_FIXED = {
    "roles": "who may do what",
    "data": "which data flows where, and for how long it stays",
    "subprocessors": "providers, with their zones",
    SBOM: "the software that runs here, as CycloneDX 1.6",
}
_MODEL = "model-"


def list_documents(tx: Tx) -> dict[str, str]:
    """Give every document's name and what it says; a sheet for each model."""
    return _FIXED | {f"{_MODEL}{one.name}": f"transparency sheet of {one.name}" for one in rows.list_models(tx)}


async def write_document(house: House, name: str, organisation_id: str) -> Document | dict[str, Any]:
    """Write one document.

    Raises:
        NotFound: there is none of this name.
    """
    if name == SBOM:
        at = datetime.fromtimestamp(house.clock.now_ms() / 1000, UTC).isoformat(timespec="seconds")
        found: dict[str, Any] = bill_of_materials(_packages(), str(uuid.UUID(bytes=house.entropy(16), version=4)), at)
        return found
    return await house.store.read(lambda tx: _write(tx, house, name, organisation_id))


def _write(tx: Tx, house: House, name: str, organisation_id: str) -> Document:
    if name == "roles":
        return roles_document(rules.PERMISSIONS, rules.roles)
    if name == "data":
        return data_document(_projects(tx, organisation_id), _settings(house))
    if name == "subprocessors":
        return providers_document(_providers(tx, house))
    if name.startswith(_MODEL):
        return _sheet(tx, name.removeprefix(_MODEL))
    raise NotFound(f"there is no document {name!r}; `primeur documents list` shows those there are")


def _projects(tx: Tx, organisation_id: str) -> list[dict[str, Any]]:
    return [
        {
            "project": project.name,
            "keeps prompts": project.keeps_prompts,
            "days": policy.keep_days,
            "masks": policy.masks,
            "zones": policy.zones or "any",
            "may be trained on": policy.trains,
        }
        for project in list_projects(tx)
        if project.organisation_id == organisation_id
        for policy in [find_policy(tx, project.id)]
    ]


def _settings(house: House) -> dict[str, Any]:
    egress = house.place.egress
    lines = [f"{one.host or one.network}{f':{one.port}' if one.port else ''}" for one in egress.listed]
    return {
        "egress: listed": lines,
        "egress: other public addresses over https": egress.public,
        "egress: providers on this machine": egress.own_machine,
        "trusted proxies": [str(one) for one in house.place.trusted_proxies],
        "checkpoints go to": house.place.checkpoints_to or "the data folder",
        "master keys": "the data folder" if house.place.key_service is None else type(house.place.key_service).__name__,
    }


def _providers(tx: Tx, house: House) -> list[dict[str, Any]]:
    used = {one.provider_id for one in deployment_rows.list_revisions(tx)}
    return [
        {
            "provider": one.name,
            "kind": one.kind if one.kind in house.providers else f"{one.kind} (not installed)",
            "address": one.settings.get("base_url") or one.settings.get("endpoint") or one.settings.get("url"),
            "zone": one.settings.get("zone") or one.settings.get("region") or "not declared",
            "in use": one.id in used,
        }
        for one in rows.list_providers(tx)
    ]


def _sheet(tx: Tx, name: str) -> Document:
    model = rows.find_model(tx, name)
    version = rows.find_version(tx, model)
    facts = msgspec.to_builtins(version) | {"version": version.number}
    weights = deployment_rows.list_weights(tx)
    names = {one.id: one.name for one in deployment_rows.list_deployments(tx)}
    served = {
        names[one.deployment_id]
        for one in deployment_rows.list_revisions(tx)
        if one.version_id in weights and weights[one.version_id].model == model.name
    }
    card = msgspec.json.decode(version.card) if version.card else {}
    return model_document(model.name, facts, card if isinstance(card, dict) else {"text": card}, sorted(served))


def _packages() -> Sequence[tuple[str, str, str]]:
    """Everything that is installed here, the program itself first."""
    found = {one.metadata["Name"]: one for one in distributions() if one.metadata["Name"]}
    rest = sorted((name for name in found if name != "primeur"), key=str.lower)
    return [_package(name, found[name]) for name in ("primeur", *rest) if name in found]


def _package(name: str, what: Distribution) -> tuple[str, str, str]:
    about = what.metadata.json
    licence = str(about.get("license_expression") or about.get("license") or "")
    # Some packages put the whole text of their licence there.
    return name, what.version, licence if len(licence) <= 200 else licence.splitlines()[0][:200]
