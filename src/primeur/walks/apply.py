"""Make what a ``primeur.toml`` declares so: one transaction, all of it or nothing."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import Conflict
from primeur.governance.rows import find_key
from primeur.governance.rules import check
from primeur.store.database import Tx
from primeur.walks.add_provider import write_provider
from primeur.walks.add_upstream import write_upstream
from primeur.walks.change_key import KeyChange, write_change
from primeur.walks.choose_project import choose_project
from primeur.walks.compare_document import Change, compare
from primeur.walks.create_key import NewKey, write_key
from primeur.walks.create_project import NewProject, write_project, write_project_change
from primeur.walks.declare_bounds import make_budget, make_limits
from primeur.walks.declare_rights import make_right
from primeur.walks.declare_sign_in import make_sign_in
from primeur.walks.deploy import write_revision
from primeur.walks.house import House
from primeur.walks.read_document import Declared, read_document
from primeur.walks.read_secrets import check_secrets
from primeur.walks.set_alias import write_alias
from primeur.walks.set_guard import write_guard
from primeur.walks.set_price import write_price
from primeur.walks.set_rate import write_rate
from primeur.walks.set_share import write_share

PERMISSIONS: Mapping[str, str] = {
    "projects": "projects:write",
    "keys": "keys:write",
    "providers": "providers:write",
    "models": "models:write",
    "deployments": "deployments:write",
    "aliases": "deployments:write",
    "guards": "deployments:write",
    "rights": "rights:write",
    "prices": "prices:write",
    "rates": "prices:write",
    "shares": "prices:write",
    "limits": "budgets:write",
    "budgets": "budgets:write",
    "sign_in": "sign-in:write",
}


class Applied(msgspec.Struct, frozen=True):
    """What differed.

    Attributes:
        keys: texts of keys that were made, by name; given once.
    """

    changes: list[Change]
    keys: dict[str, str]


async def apply(house: House, caller: Caller, document: Mapping[str, Any], *, dry_run: bool) -> Applied:
    """Make the document so and give what was different; what it does not declare is left alone.

    Args:
        dry_run: only tell the difference.

    Raises:
        BadRequest: a fault in the document, with its path.
        NotPermitted: something differs that this caller may not change.
        Conflict: a model's weights are not in the store yet, or a thing is in the way.
        NotFound, SetupError: as the single walks.
    """
    declared = read_document(document)

    def look(tx: Tx) -> Applied:
        return Applied([change for one in declared if (change := compare(tx, caller, one))], {})

    def make(tx: Tx) -> Applied:
        applied = Applied([], {})
        for one in declared:
            # Compared one by one, because an earlier entry may have changed what a later one finds.
            change = compare(tx, caller, one)
            if change is not None:
                check(caller, PERMISSIONS[one.noun], None, house.clock.now_ms())
                applied.changes.append(change)
                text = _MAKE[one.noun](tx, house, caller, one, change)
                if text is not None:
                    applied.keys[one.name] = text
        return applied

    return await (house.store.read(look) if dry_run else house.store.transact(make))


def _project(tx: Tx, house: House, caller: Caller, one: Declared, change: Change) -> None:
    if change.verb == "create":
        write_project(tx, house, caller, NewProject(name=one.name, **change.after))
    else:
        write_project_change(tx, house, caller, choose_project(tx, caller, one.name), one.what)


def _key(tx: Tx, house: House, caller: Caller, one: Declared, change: Change) -> str | None:
    project = choose_project(tx, caller, one.what.project)
    if change.verb == "create":
        return write_key(tx, house, caller, NewKey(name=one.name, project=project.id, **change.after)).text
    if "role" in change.after:
        raise Conflict(f"the role of the key {one.name!r} cannot change; revoke it and make another", param="role")
    known = {field: getattr(one.what, field) for field in KeyChange.__struct_fields__}
    key = find_key(tx, one.name, project.id)
    write_change(tx, house, caller, key, KeyChange(**known))
    return None


def _provider(tx: Tx, house: House, caller: Caller, one: Declared, _change: Change) -> None:
    kind = house.providers.get(one.what.kind)
    if kind is not None:
        # A file is copied and committed; a secret in it would be everywhere.
        check_secrets(one.what.settings, kind.secret_settings)
    write_provider(tx, house, caller, one.name, one.what)


def _model(tx: Tx, house: House, caller: Caller, one: Declared, _change: Change) -> None:
    if one.what.sha256 is None:
        write_upstream(tx, house, caller, one.name, one.what.upstream)
        return
    raise Conflict(
        f"the weights of {one.name!r} are not here; `primeur apply` sends them, or `primeur models add` does",
        param=f"models.{one.name}.sha256",
        code="weights_missing",
    )


def _deployment(tx: Tx, house: House, caller: Caller, one: Declared, _change: Change) -> None:
    write_revision(tx, house, caller, one.name, one.what)


def _alias(tx: Tx, house: House, caller: Caller, one: Declared, _change: Change) -> None:
    write_alias(tx, house, caller, one.name, one.what)


def _guard(tx: Tx, house: House, caller: Caller, one: Declared, _change: Change) -> None:
    write_guard(tx, house, caller, one.name, one.what)


def _price(tx: Tx, house: House, caller: Caller, one: Declared, _change: Change) -> None:
    write_price(tx, house, caller, one.name, one.what)


def _rate(tx: Tx, house: House, caller: Caller, one: Declared, _change: Change) -> None:
    write_rate(tx, house, caller, one.what)


def _share(tx: Tx, house: House, caller: Caller, one: Declared, _change: Change) -> None:
    write_share(tx, house, caller, one.what)


_MAKE: Mapping[str, Callable[[Tx, House, Caller, Declared, Change], str | None]] = {
    "projects": _project,
    "keys": _key,
    "providers": _provider,
    "models": _model,
    "deployments": _deployment,
    "aliases": _alias,
    "guards": _guard,
    "rights": make_right,
    "prices": _price,
    "rates": _rate,
    "shares": _share,
    "limits": make_limits,
    "budgets": make_budget,
    "sign_in": make_sign_in,
}
