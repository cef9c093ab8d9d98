"""Register weights that are in the store as a model's next version."""

from dataclasses import dataclass

import msgspec

from primeur.core.events import VersionRegistered
from primeur.core.gguf import GgufHead
from primeur.core.ids import make_id
from primeur.core.ports import Entropy
from primeur.core.safetensors import FolderHead
from primeur.registry import rows
from primeur.registry.rules import check_name
from primeur.store.database import Tx, tell


@dataclass(frozen=True, slots=True)
class Found:
    """Weights as they lie in the store.

    Attributes:
        digest: ``sha256:...``.
        path: below the data folder.
        licence: SPDX expression; None when nobody said.
        origin: where the file came from.
        card: what else is known, for people.
        languages: tags such as ``en fr``.
    """

    model: str
    head: GgufHead | FolderHead
    digest: str
    path: str
    licence: str | None = None
    origin: str | None = None
    card: dict[str, object] | None = None
    languages: str | None = None


def register_version(tx: Tx, found: Found, *, entropy: Entropy, actor: str, now_ms: int) -> rows.Version:
    """Give the model's version with these weights, registered now unless it was before.

    Raises:
        BadRequest: the name cannot be used.
    """
    check_name(found.model, "model")
    model = rows.keep_model(tx, rows.Model(make_id("model", now_ms, entropy), found.model, now_ms))
    for known in rows.list_versions(tx, model.id):
        if known.digest == found.digest:
            return known
    version = rows.Version(
        id=make_id("version", now_ms, entropy),
        model_id=model.id,
        number=rows.next_number(tx, model.id),
        digest=found.digest,
        format="gguf" if isinstance(found.head, GgufHead) else "safetensors",
        created_ms=now_ms,
        path=found.path,
        size_bytes=found.head.size_bytes,
        licence=found.licence,
        origin=found.origin,
        card=None if found.card is None else msgspec.json.encode(found.card).decode(),
        languages=found.languages,
        context_tokens=found.head.context_tokens,
        parameters=found.head.parameters,
        quantisation=found.head.quantisation,
        architecture=found.head.architecture,
    )
    rows.add_version(tx, version)
    tell(tx, VersionRegistered(model.name, version.id, version.digest), actor=actor, at_ms=now_ms)
    return version
