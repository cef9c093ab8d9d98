"""Organisations, projects and keys, as the database keeps them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from primeur.core.caller import Limits
from primeur.core.errors import Conflict, NotFound
from primeur.store.database import Tx
from primeur.store.schema import keys, organisations, projects


@dataclass(frozen=True, slots=True)
class Organisation:
    """Who has projects and members; the one that is at home here runs the house."""

    id: str
    name: str
    created_ms: int
    is_home: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """What keys belong to.

    Attributes:
        keeps_prompts: prompts and answers are kept in the request log.
    """

    id: str
    organisation_id: str
    name: str
    keeps_prompts: bool
    limits: Limits
    created_ms: int


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its text, which nobody keeps.

    Attributes:
        digest: see `primeur.governance.rules.digest_key`.
        hint: the beginning and the end of its text.
        deployments: names it may use; None is all.
        expires_ms, revoked_ms: UTC milliseconds; None is never.
        routes, networks: see `primeur.governance.key_scopes`; None is all.
        member_id: the service account or person it belongs to; without them it ends.
        old_digest, old_until_ms: of the text before the last rotation, and until when it still holds.
        used_ms: last use, as far as it is written down.
    """

    id: str
    project_id: str
    name: str
    digest: bytes
    hint: str
    role: str
    limits: Limits
    created_ms: int
    deployments: tuple[str, ...] | None = None
    expires_ms: int | None = None
    revoked_ms: int | None = None
    routes: tuple[str, ...] | None = None
    networks: tuple[str, ...] | None = None
    member_id: str | None = None
    old_digest: bytes | None = None
    old_until_ms: int | None = None
    used_ms: int | None = None


def add_organisation(tx: Tx, organisation: Organisation) -> None:
    """Keep a new organisation.

    Raises:
        Conflict: the name is taken.
    """
    if any(one.name == organisation.name for one in list_organisations(tx)):
        raise Conflict(f"there is an organisation {organisation.name!r} already", param="name")
    tx.execute(insert(organisations).values(**{name: getattr(organisation, name) for name in Organisation.__slots__}))


def list_organisations(tx: Tx) -> list[Organisation]:
    """Give every organisation, oldest first."""
    rows = tx.execute(select(organisations).order_by(organisations.c.created_ms, organisations.c.id))
    return [Organisation(row.id, row.name, row.created_ms, row.is_home) for row in rows]


def first_organisation(tx: Tx) -> Organisation | None:
    """Give the organisation that founded this house and runs it; None before the first start."""
    return next((one for one in list_organisations(tx) if one.is_home), None)


def find_organisation(tx: Tx, name_or_id: str) -> Organisation:
    """Give one organisation by its name or id.

    Raises:
        NotFound: there is none.
    """
    found = next((one for one in list_organisations(tx) if name_or_id in {one.id, one.name}), None)
    if found is None:
        raise NotFound(f"there is no organisation {name_or_id!r}")
    return found


def add_project(tx: Tx, project: Project) -> None:
    """Keep a new project.

    Raises:
        Conflict: its name is taken.
    """
    values = {"id": project.id, "organisation_id": project.organisation_id, "created_ms": project.created_ms}
    _insert(
        tx,
        insert(projects).values(**values, **_project_values(project)),
        f"there is a project {project.name!r} already",
    )


def change_project(tx: Tx, project: Project) -> None:
    """Replace a project's name, limits and choices.

    Raises:
        Conflict: the new name is taken.
    """
    change = update(projects).where(projects.c.id == project.id).values(**_project_values(project))
    _insert(tx, change, f"there is a project {project.name!r} already")


def list_projects(tx: Tx) -> list[Project]:
    """Give every project, oldest first."""
    return [_project(row) for row in tx.execute(select(projects).order_by(projects.c.created_ms, projects.c.id))]


def find_project(tx: Tx, name_or_id: str, organisation_id: str | None = None) -> Project:
    """Give one project by its id, or by its name, which is its own within an organisation.

    Raises:
        NotFound: there is none.
    """
    wanted = (projects.c.id == name_or_id) | (projects.c.name == name_or_id)
    if organisation_id is not None:
        wanted &= projects.c.organisation_id == organisation_id
    row = tx.execute(select(projects).where(wanted).order_by(projects.c.created_ms, projects.c.id).limit(1)).first()
    if row is None:
        raise NotFound(f"there is no project {name_or_id!r}; `primeur projects list` shows those there are")
    return _project(row)


def add_key(tx: Tx, key: Key) -> None:
    """Keep a new key.

    Raises:
        Conflict: the project has a key of this name, revoked ones included.
    """
    words = f"the project has a key {key.name!r} already (revoked ones keep their names); choose another name"
    _insert(tx, insert(keys).values(id=key.id, created_ms=key.created_ms, **_key_values(key)), words)


def change_key(tx: Tx, key: Key) -> None:
    """Replace a key's digest, limits and times.

    Raises:
        Conflict: it was revoked meanwhile.
    """
    found = tx.execute(update(keys).where(keys.c.id == key.id, keys.c.revoked_ms.is_(None)).values(**_key_values(key)))
    if found.rowcount != 1:
        raise Conflict(f"the key {key.name!r} is revoked; make a new one")


def list_keys(tx: Tx, project_id: str | None = None) -> list[Key]:
    """Give every key of one project, or of the whole house; oldest first, revoked ones included."""
    query = select(keys).order_by(keys.c.created_ms, keys.c.id)
    if project_id is not None:
        query = query.where(keys.c.project_id == project_id)
    return [_key(row) for row in tx.execute(query)]


def note_key_use(tx: Tx, used: Mapping[str, int]) -> None:
    """Write down when keys were last used, UTC milliseconds by id; a time that is older than the known one is not."""
    if used:
        later = keys.c.used_ms.is_(None) | (keys.c.used_ms < bindparam("at"))
        change = update(keys).where((keys.c.id == bindparam("key")) & later).values(used_ms=bindparam("at"))
        tx.execute(change, [{"key": key_id, "at": at_ms} for key_id, at_ms in used.items()])


def find_key(tx: Tx, name_or_id: str, project_id: str | None = None) -> Key:
    """Give one key by id, or by its name within the project.

    Raises:
        NotFound: there is none.
        Conflict: several projects have a key of this name.
    """
    found = [one for one in list_keys(tx, project_id) if name_or_id in {one.id, one.name}]
    if not found:
        raise NotFound(f"there is no key {name_or_id!r}; `primeur keys list` shows those there are")
    if len(found) > 1:
        raise Conflict(f"{len(found)} projects have a key {name_or_id!r}; use its id")
    return found[0]


def _insert(tx: Tx, statement: Any, words: str) -> None:
    # A savepoint, because PostgreSQL ends the whole transaction at the first refused row.
    try:
        with tx.begin_nested():
            tx.execute(statement)
    except IntegrityError:
        raise Conflict(words, param="name") from None


def _limits(row: Row[Any]) -> Limits:
    return Limits(row.rpm, row.tpm, row.concurrency, row.rpd, row.tpd)


def _limit_values(limits: Limits) -> dict[str, int | None]:
    return {name: getattr(limits, name) for name in Limits.__slots__}


def _project_values(project: Project) -> dict[str, Any]:
    return {"name": project.name, "keeps_prompts": project.keeps_prompts, **_limit_values(project.limits)}


def _project(row: Row[Any]) -> Project:
    return Project(row.id, row.organisation_id, row.name, row.keeps_prompts, _limits(row), row.created_ms)


_LISTS = ("deployments", "routes", "networks")
_KEY_FIELDS = (
    "project_id", "name", "digest", "hint", "role", "expires_ms", "revoked_ms", "member_id", "old_digest",
    "old_until_ms",
)  # fmt: skip


def _key_values(key: Key) -> dict[str, Any]:
    texts = {name: getattr(key, name) for name in _LISTS}
    lists = {name: None if some is None else json.dumps(some) for name, some in texts.items()}
    return {name: getattr(key, name) for name in _KEY_FIELDS} | lists | _limit_values(key.limits)


def _key(row: Row[Any]) -> Key:
    fields: dict[str, Any] = {name: _plain(getattr(row, name)) for name in _KEY_FIELDS}
    for name in _LISTS:
        some = getattr(row, name)
        fields[name] = None if some is None else tuple(json.loads(some))
    return Key(id=row.id, limits=_limits(row), created_ms=row.created_ms, used_ms=row.used_ms, **fields)


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
