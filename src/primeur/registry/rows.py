"""Models, their immutable versions, and the providers that lend capacity."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from primeur.core.errors import Conflict, NotFound
from primeur.store.database import Tx
from primeur.store.schema import models, providers, revisions, versions


@dataclass(frozen=True, slots=True)
class Model:
    """What a caller may run, under a name.

    Attributes:
        retired_ms: not offered for new deployments since then; UTC milliseconds.
        default_version: number of the version that is meant when none is named; None is the newest.
    """

    id: str
    name: str
    created_ms: int
    retired_ms: int | None = None
    default_version: int | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """Fixed weights of a model, or a provider's model under the name that the provider gives it.

    Attributes:
        number: 1, 2, 3... within the model.
        digest: ``sha256:...`` of the file; of a provider's model ``upstream:...``, which names provider and model.
        format: ``gguf``, ``safetensors`` for a folder, or ``upstream``.
        path: below the data folder.
        licence: SPDX expression, as the one who added it said.
        origin: where the file came from.
        card: JSON; what is known about the weights.
        parameters: number of weights.
        memory_bytes: most that an engine was seen to hold of them, whatever its settings; None before the first load.
        provider_id, upstream_model: who holds it, and what it is called there; None for weights of ours.
        languages: tags such as ``en fr``, as the one who added it said.
        retires_ms: it ends then, UTC milliseconds; None: nobody said that it does.
        noticed_days: days before its end of which everybody was told last.
    """

    id: str
    model_id: str
    number: int
    digest: str
    format: str
    created_ms: int
    path: str | None = None
    size_bytes: int | None = None
    licence: str | None = None
    origin: str | None = None
    card: str | None = None
    context_tokens: int | None = None
    parameters: int | None = None
    quantisation: str | None = None
    architecture: str | None = None
    memory_bytes: int | None = None
    provider_id: str | None = None
    upstream_model: str | None = None
    languages: str | None = None
    retires_ms: int | None = None
    noticed_days: int | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """A party that supplies capacity, as declared; secrets stand as ``env:NAME`` or ``file:PATH``."""

    id: str
    name: str
    kind: str
    settings: dict[str, Any]
    created_ms: int


def keep_model(tx: Tx, model: Model) -> Model:
    """Give the model of this name, made now if it is new; adding a version brings a retired one back."""
    row = tx.execute(select(models).where(models.c.name == model.name)).first()
    if row is None:
        tx.execute(insert(models).values(id=model.id, name=model.name, created_ms=model.created_ms))
        return model
    tx.execute(update(models).where(models.c.id == row.id).values(retired_ms=None))
    return Model(row.id, row.name, row.created_ms, None, row.default_version)


def list_models(tx: Tx) -> list[Model]:
    """Give every model by name, retired ones included."""
    rows = tx.execute(select(models).order_by(models.c.name))
    return [Model(row.id, row.name, row.created_ms, row.retired_ms, row.default_version) for row in rows]


def find_model(tx: Tx, name: str) -> Model:
    """Give one model.

    Raises:
        NotFound: there is none.
    """
    found = [one for one in list_models(tx) if name in {one.name, one.id}]
    if not found:
        raise NotFound(f"there is no model {name!r}; `primeur models list` shows those there are")
    return found[0]


def retire_model(tx: Tx, model: Model, now_ms: int) -> None:
    """Offer a model no longer for new deployments; what runs goes on."""
    tx.execute(update(models).where(models.c.id == model.id).values(retired_ms=now_ms))


def next_number(tx: Tx, model_id: str) -> int:
    """Give the number of the model's next version."""
    last = tx.execute(select(func.max(versions.c.number)).where(versions.c.model_id == model_id)).scalar_one()
    return (last or 0) + 1


def add_version(tx: Tx, version: Version) -> None:
    """Keep a new version."""
    tx.execute(insert(versions).values(**{name: getattr(version, name) for name in Version.__slots__}))


def set_default_version(tx: Tx, model: Model, number: int | None) -> None:
    """Say which version is meant when none is named."""
    tx.execute(update(models).where(models.c.id == model.id).values(default_version=number))


def change_version(tx: Tx, version: Version, changes: Mapping[str, Any]) -> None:
    """Change what is said of a version; what it is never changes."""
    tx.execute(update(versions).where(versions.c.id == version.id).values(**changes))


def keep_memory(tx: Tx, version_id: str, memory_bytes: int) -> None:
    """Remember how much memory an engine was seen to hold, if it is the most so far."""
    c = versions.c
    more = (c.id == version_id) & (c.memory_bytes.is_(None) | (c.memory_bytes < memory_bytes))
    tx.execute(update(versions).where(more).values(memory_bytes=memory_bytes))


def list_versions(tx: Tx, model_id: str | None = None) -> list[Version]:
    """Give the versions of one model, or of all, oldest first."""
    query = select(versions).order_by(versions.c.model_id, versions.c.number)
    if model_id is not None:
        query = query.where(versions.c.model_id == model_id)
    return [_version(row) for row in tx.execute(query)]


def find_version(tx: Tx, model: Model, number: int | None = None) -> Version:
    """Give a model's version by number; without one its default version, or its newest where it has none.

    Raises:
        NotFound: there is none.
    """
    number = model.default_version if number is None else number
    versions = list_versions(tx, model.id)
    found = [one for one in versions if number in {None, one.number}]
    if not found:
        known = ", ".join(str(one.number) for one in versions) or "none"
        asked = "" if number is None else f" {number}"
        raise NotFound(f"the model {model.name!r} has no version{asked}; it has {known}")
    return found[-1]


def keep_provider(tx: Tx, provider: Provider) -> Provider:
    """Add a provider, or replace the kind and settings of the one of this name."""
    values = {"kind": provider.kind, "settings": json.dumps(provider.settings)}
    known = [one for one in list_providers(tx) if one.name == provider.name]
    if known:
        tx.execute(update(providers).where(providers.c.id == known[0].id).values(**values))
        return Provider(known[0].id, provider.name, provider.kind, provider.settings, known[0].created_ms)
    tx.execute(insert(providers).values(id=provider.id, name=provider.name, created_ms=provider.created_ms, **values))
    return provider


def list_providers(tx: Tx) -> list[Provider]:
    """Give every provider by name."""
    rows = tx.execute(select(providers).order_by(providers.c.name))
    return [Provider(row.id, row.name, row.kind, json.loads(row.settings), row.created_ms) for row in rows]


def find_provider(tx: Tx, name: str) -> Provider:
    """Give one provider.

    Raises:
        NotFound: there is none.
    """
    found = [one for one in list_providers(tx) if name in {one.name, one.id}]
    if not found:
        raise NotFound(f"there is no provider {name!r}; `primeur providers list` shows those there are")
    return found[0]


def remove_provider(tx: Tx, provider: Provider) -> None:
    """Take a provider out.

    Raises:
        Conflict: a revision names it.
    """
    if tx.execute(select(revisions.c.id).where(revisions.c.provider_id == provider.id).limit(1)).first():
        raise Conflict(f"deployments run on the provider {provider.name!r}; remove or redeploy them first")
    if tx.execute(select(versions.c.id).where(versions.c.provider_id == provider.id).limit(1)).first():
        raise Conflict(f"versions of models lie at the provider {provider.name!r}; they could not be deployed any more")
    tx.execute(delete(providers).where(providers.c.id == provider.id))


def _version(row: Row[Any]) -> Version:
    return Version(**{name: getattr(row, name) for name in Version.__slots__})
