"""Register a provider's model, under the name that it has there, as a model's next version."""

from typing import Annotated, Any

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.events import VersionRegistered
from primeur.core.ids import make_id
from primeur.core.ports import ProviderOrder
from primeur.registry import rows
from primeur.registry.facts import UPSTREAM, check_languages, read_end, upstream_digest
from primeur.registry.licences import check_licence
from primeur.registry.rules import check_name
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.seal_secrets import open_settings

UpstreamName = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class NewUpstream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that a provider holds.

    Attributes:
        provider: name or id.
        upstream_model: what the provider calls it.
        licence: SPDX expression.
        origin: who made it, or where its terms are.
        languages: tags such as ``en``.
        context_tokens: prompt and answer together.
        card: what is known about it, for people; ``text`` is Markdown.
        retires: the day on which the provider ends it, such as ``2027-01-31``.
    """

    provider: str
    upstream_model: UpstreamName
    licence: str | None = None
    origin: str | None = None
    languages: list[str] | None = None
    context_tokens: Annotated[int, msgspec.Meta(ge=1, le=1 << 31)] | None = None
    card: dict[str, Any] | None = None
    retires: str | None = None


async def add_upstream(house: House, caller: Caller, name: str, ask: NewUpstream) -> rows.Version:
    """Register a provider's model as the next version of the model *name*; raises as `write_upstream`."""
    return await house.store.transact(lambda tx: write_upstream(tx, house, caller, name, ask))


def write_upstream(tx: Tx, house: House, caller: Caller, name: str, ask: NewUpstream) -> rows.Version:
    """Register it in a transaction that is open; the same model of the same provider twice is one version.

    Raises:
        BadRequest: a name, licence, language or day that cannot be; the provider's kind is not installed.
        NotFound: there is no such provider.
        SetupError: the provider's settings do not lead to the model.
    """
    check_name(name, "model")
    provider = rows.find_provider(tx, ask.provider)
    kind = house.providers.get(provider.kind)
    if kind is None:
        raise BadRequest(f"there is no provider kind {provider.kind!r} here; install what brings it", param="provider")
    settings = open_settings(house, provider.id, provider.settings, kind.secret_settings)
    face = kind.face(ProviderOrder(settings, {}, ask.upstream_model))
    now_ms, digest = house.clock.now_ms(), upstream_digest(provider.id, ask.upstream_model)
    model = rows.keep_model(tx, rows.Model(make_id("model", now_ms, house.entropy), name, now_ms))
    known = [one for one in rows.list_versions(tx, model.id) if one.digest == digest]
    if known:
        return known[0]
    version = rows.Version(
        id=make_id("version", now_ms, house.entropy),
        model_id=model.id,
        number=rows.next_number(tx, model.id),
        digest=digest,
        format=UPSTREAM,
        created_ms=now_ms,
        licence=check_licence(ask.licence),
        origin=ask.origin or provider.name,
        card=None if ask.card is None else msgspec.json.encode(ask.card).decode(),
        context_tokens=ask.context_tokens or face.context_tokens,
        provider_id=provider.id,
        upstream_model=ask.upstream_model,
        languages=None if ask.languages is None else check_languages(ask.languages),
        retires_ms=read_end(ask.retires, now_ms),
    )
    rows.add_version(tx, version)
    what = VersionRegistered(model.name, version.id, version.digest)
    tell(tx, what, actor=actor_of(caller), at_ms=now_ms, after={"provider": provider.name, "model": ask.upstream_model})
    return version
