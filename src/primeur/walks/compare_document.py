"""Hold what is declared against what is there: the difference, as data."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from primeur.core.caller import Caller, Limits
from primeur.core.errors import NotFound
from primeur.core.money import nanos_per_token, price_per_million
from primeur.governance import rows as governance
from primeur.governance.vault_rules import shown
from primeur.metering import rows as metering
from primeur.registry import deployment_rows, rows, terms_rows
from primeur.store.database import Tx
from primeur.trust.rows import find_guard
from primeur.walks.choose_project import choose_project
from primeur.walks.compare_rates import rate_there, rate_wanted, share_there, share_wanted, starts
from primeur.walks.declare_bounds import budget_there, budget_wanted, limits_there
from primeur.walks.declare_rights import right_there, right_wanted
from primeur.walks.declare_sign_in import sign_in_there
from primeur.walks.read_document import Declared

Fields = dict[str, Any]


class Change(msgspec.Struct, frozen=True):
    """One thing that is not yet as declared.

    Attributes:
        noun: table of the document.
        verb: ``create`` or ``change``.
        before: what is there of the fields that differ; empty when nothing is there.
        after: what is declared of them.
    """

    noun: str
    name: str
    verb: str
    before: Fields
    after: Fields


def compare(tx: Tx, caller: Caller, entry: Declared) -> Change | None:
    """Give the difference between *entry* and what is there; None when there is none. What is not declared stays."""
    wanted = _WANTED.get(entry.noun, _plain)(tx, entry)
    try:
        there = _THERE[entry.noun](tx, caller, entry)
    except NotFound:
        there = None
    if there is None:
        return Change(entry.noun, entry.name, "create", {}, wanted)
    after = {field: value for field, value in wanted.items() if there.get(field) != value}
    before = {field: there.get(field) for field in after}
    return Change(entry.noun, entry.name, "change", before, after) if after else None


def _plain(_tx: Tx, entry: Declared) -> Fields:
    return dict(msgspec.to_builtins(entry.what))


def _wanted_key(_tx: Tx, entry: Declared) -> Fields:
    return {field: value for field, value in msgspec.to_builtins(entry.what).items() if field != "project"}


def _wanted_model(_tx: Tx, entry: Declared) -> Fields:
    what = entry.what
    if what.sha256 is None:
        return {"provider": what.provider, "upstream_model": what.upstream_model}
    return {"sha256": what.sha256.lower()}


def _wanted_price(_tx: Tx, entry: Declared) -> Fields:
    cached = entry.what.input if entry.what.cached is None else entry.what.cached
    numbers = {"input": entry.what.input, "cached": cached, "output": entry.what.output}
    listed = {name: price_per_million(nanos_per_token(value)) for name, value in numbers.items()}
    return {"currency": entry.what.currency} | listed | starts(entry.what)


def _wanted_revision(tx: Tx, entry: Declared) -> Fields:
    wanted = dict(msgspec.to_builtins(entry.what))
    # How traffic moves to a revision is no part of what it is.
    wanted.pop("roll_out", None)
    if wanted["model"] is not None:
        wanted["engine"] = wanted["engine"] or "llamacpp"
        version = _asked_version(tx, wanted["model"], wanted["version"])
        # The document itself may add it first.
        wanted["version"] = version.number if version else (wanted["version"] or 1)
        if version is not None and version.provider_id is not None:
            wanted["engine"] = None
    return wanted


def _asked_version(tx: Tx, model: str, number: Any) -> rows.Version | None:
    try:
        found = rows.find_model(tx, model)
        newest = rows.next_number(tx, found.id) - 1 if number == "latest" else None
        return rows.find_version(tx, found, newest or (number if isinstance(number, int) else None))
    except NotFound:
        return None


def _there_project(tx: Tx, caller: Caller, entry: Declared) -> Fields:
    project = choose_project(tx, caller, entry.name)
    return {"keeps_prompts": project.keeps_prompts} | _limits(project.limits)


def _there_key(tx: Tx, caller: Caller, entry: Declared) -> Fields:
    key = governance.find_key(tx, entry.name, choose_project(tx, caller, entry.what.project).id)
    some = None if key.deployments is None else list(key.deployments)
    return {"role": key.role, "deployments": some, "expires_ms": key.expires_ms} | _limits(key.limits)


def _there_provider(tx: Tx, _caller: Caller, entry: Declared) -> Fields:
    provider = rows.find_provider(tx, entry.name)
    return {"kind": provider.kind, "settings": {name: shown(value) for name, value in provider.settings.items()}}


def _there_model(tx: Tx, _caller: Caller, entry: Declared) -> Fields:
    model = rows.find_model(tx, entry.name)
    versions = rows.list_versions(tx, model.id)
    if entry.what.sha256 is None:
        return _there_upstream(tx, versions, entry)
    digests = [one.digest.removeprefix("sha256:") for one in versions]
    wanted = entry.what.sha256.lower()
    return {"sha256": wanted if wanted in digests else digests[-1]}


def _there_upstream(tx: Tx, versions: list[rows.Version], entry: Declared) -> Fields:
    names = {one.id: one.name for one in rows.list_providers(tx)}
    there = [{"provider": names.get(one.provider_id or ""), "upstream_model": one.upstream_model} for one in versions]
    wanted = {"provider": entry.what.provider, "upstream_model": entry.what.upstream_model}
    return wanted if wanted in there else there[-1]


def _there_deployment(tx: Tx, _caller: Caller, entry: Declared) -> Fields | None:
    row = deployment_rows.find_deployment(tx, entry.name)
    revision = next(iter(deployment_rows.list_revisions(tx, row.id)), None)
    if revision is None:
        return None
    weights = deployment_rows.list_weights(tx).get(revision.version_id or "")
    names = {one.id: one.name for one in rows.list_providers(tx)}
    terms = terms_rows.find_terms(tx, row.id)
    return {
        "model": weights.model if weights else None,
        "version": weights.number if weights else None,
        "engine": revision.engine,
        # A model of the registry stands for who holds it.
        "provider": None if weights else names.get(revision.provider_id or ""),
        "upstream_model": None if weights else revision.upstream_model,
        "settings": revision.settings,
        "embeddings_by": row.embeddings_by,
        "scaling": None if revision.scaling is None else msgspec.to_builtins(revision.scaling),
        "type": terms.kind,
        "reserved_tokens_per_minute": terms.reserved_tpm,
        "upgrade": terms.upgrade,
    }


def _there_alias(tx: Tx, _caller: Caller, entry: Declared) -> Fields | None:
    target = deployment_rows.list_aliases(tx).get(entry.name)
    names = {row.id: row.name for row in deployment_rows.list_deployments(tx)}
    return None if target is None else {"deployment": names[target]}


def _there_guard(tx: Tx, _caller: Caller, entry: Declared) -> Fields:
    row = deployment_rows.find_deployment(tx, entry.name)
    return dict(msgspec.to_builtins(find_guard(tx, row.id)))


def _there_price(tx: Tx, _caller: Caller, entry: Declared) -> Fields | None:
    wanted = starts(entry.what)
    found = metering.list_prices(tx, entry.name)
    # A declared beginning names a version; else the newest is meant.
    newest = next((one for one in found if wanted.get("from_ms") in {None, one.from_ms}), None)
    if newest is None:
        return None
    price = newest.price
    numbers = {"input": price.input_nanos, "cached": price.cached_nanos, "output": price.output_nanos}
    listed = {name: price_per_million(value) for name, value in numbers.items()}
    return {"currency": price.currency, "from_ms": newest.from_ms} | listed


def _limits(limits: Limits) -> Fields:
    return dataclasses.asdict(limits)


_WANTED: Mapping[str, Callable[[Tx, Declared], Fields]] = {
    "keys": _wanted_key,
    "models": _wanted_model,
    "prices": _wanted_price,
    "rates": rate_wanted,
    "shares": share_wanted,
    "budgets": budget_wanted,
    "rights": right_wanted,
    "deployments": _wanted_revision,
    "aliases": lambda _tx, entry: {"deployment": entry.what},
}
_THERE: Mapping[str, Callable[[Tx, Caller, Declared], Fields | None]] = {
    "projects": _there_project,
    "keys": _there_key,
    "providers": _there_provider,
    "models": _there_model,
    "deployments": _there_deployment,
    "aliases": _there_alias,
    "guards": _there_guard,
    "prices": _there_price,
    "rates": rate_there,
    "shares": share_there,
    "rights": right_there,
    "limits": limits_there,
    "budgets": budget_there,
    "sign_in": sign_in_there,
}
