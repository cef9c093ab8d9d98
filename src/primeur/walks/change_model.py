"""Say which version of a model is its default, and change what is said of a version; weights never change."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.events import DefaultVersionSet, VersionChanged
from primeur.registry import rows
from primeur.registry.facts import UPSTREAM, check_languages, day_of, read_end
from primeur.registry.licences import check_licence
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House

Words = Annotated[str, msgspec.Meta(max_length=2000)]


class ModelChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which version is meant when none is named; null: the newest."""

    default_version: int | None


class VersionChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said of a version; a field that is not given stays, null takes away what was said.

    Attributes:
        retires: the day on which it ends, such as ``2027-01-31``.
        context_tokens: of a provider's model; weights say it themselves.
    """

    licence: str | UnsetType | None = UNSET
    origin: Words | UnsetType | None = UNSET
    languages: list[str] | UnsetType | None = UNSET
    card: dict[str, Any] | UnsetType | None = UNSET
    retires: str | UnsetType | None = UNSET
    context_tokens: Annotated[int, msgspec.Meta(ge=1, le=1 << 31)] | UnsetType | None = UNSET


async def change_model(house: House, caller: Caller, name: str, ask: ModelChange) -> rows.Model:
    """Set a model's default version, which deployments that follow it are upgraded to.

    Raises:
        NotFound: there is no such model or version.
        BadRequest: the version has ended.
    """

    def work(tx: Tx) -> rows.Model:
        model, now_ms = rows.find_model(tx, name), house.clock.now_ms()
        if ask.default_version is not None:
            version = rows.find_version(tx, model, ask.default_version)
            if version.retires_ms is not None and version.retires_ms <= now_ms:
                ended = f"version {version.number} of {model.name!r} ended on {day_of(version.retires_ms)}"
                raise BadRequest(f"{ended}; choose another default", param="default_version")
        rows.set_default_version(tx, model, ask.default_version)
        tell(
            tx, DefaultVersionSet(model.name, ask.default_version), actor=actor_of(caller), at_ms=now_ms,
            before={"default_version": model.default_version}, after={"default_version": ask.default_version},
        )  # fmt: skip
        return rows.find_model(tx, name)

    return await house.store.transact(work)


async def change_version(house: House, caller: Caller, name: str, number: int, ask: VersionChange) -> rows.Version:
    """Change what is said of a version.

    Raises:
        NotFound: there is no such model or version.
        BadRequest: a licence, language or day that cannot be; the context of weights, which say it themselves.
    """

    def work(tx: Tx) -> rows.Version:
        model = rows.find_model(tx, name)
        version = rows.find_version(tx, model, number)
        now_ms = house.clock.now_ms()
        changes = _changes(version, ask, now_ms)
        if changes:
            rows.change_version(tx, version, changes)
            after = rows.find_version(tx, model, number)
            what = VersionChanged(model.name, version.number, sorted(changes))
            facts = (_facts(version, changes), _facts(after, changes))
            tell(tx, what, actor=actor_of(caller), at_ms=now_ms, before=facts[0], after=facts[1])
        return rows.find_version(tx, model, number)

    return await house.store.transact(work)


def _changes(version: rows.Version, ask: VersionChange, now_ms: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if ask.licence is not UNSET:
        found["licence"] = check_licence(ask.licence)
    if ask.origin is not UNSET:
        found["origin"] = ask.origin
    if ask.languages is not UNSET:
        found["languages"] = None if ask.languages is None else check_languages(ask.languages)
    if ask.card is not UNSET:
        found["card"] = None if ask.card is None else msgspec.json.encode(ask.card).decode()
    if ask.retires is not UNSET:
        # Another day is news: everybody is told anew.
        # The day that it has already ended on may be said again, as whoever sends a version back whole does.
        same = version.retires_ms is not None and ask.retires == day_of(version.retires_ms)
        if not same:
            found |= {"retires_ms": read_end(ask.retires, now_ms), "noticed_days": None}
    if ask.context_tokens is not UNSET:
        if version.format != UPSTREAM:
            raise BadRequest("weights say their context themselves; it cannot be set", param="context_tokens")
        found["context_tokens"] = ask.context_tokens
    return {field: value for field, value in found.items() if getattr(version, field) != value}


def _facts(version: rows.Version, fields: dict[str, Any]) -> dict[str, Any]:
    return {field: getattr(version, field) for field in sorted(fields)}
