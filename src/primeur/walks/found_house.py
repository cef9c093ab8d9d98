"""The first start: an organisation, a project, an owner, a key, the starter models; later starts find them."""

import asyncio
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from primeur.core.caller import Limits
from primeur.core.errors import SetupError
from primeur.core.events import HouseFounded, KeyCreated, SignInLinkMade
from primeur.core.gguf import read_gguf_file
from primeur.core.ids import make_id
from primeur.governance import member_rows, rows, rules
from primeur.governance.sign_in_rows import add_link
from primeur.registry.facts import check_languages
from primeur.store.database import Tx, tell
from primeur.walks.house import House
from primeur.walks.keep_weights import Progress, keep_weights
from primeur.walks.point_deployment import Pointer, point_deployment
from primeur.walks.register_version import Found, register_version

FOUNDER = "founder"
LINK_LIFE_MS = 24 * 3_600_000
_ENGINE = "llamacpp"


class Shipped(msgspec.Struct, frozen=True, kw_only=True):
    """One model that came with the program; what else its table says goes onto its card.

    Attributes:
        card: file with what is to be said about it, in Markdown.
    """

    name: str
    file: str
    sha256: str
    licence: str | None = None
    card: str | None = None
    languages: list[str] = []


class Manifest(msgspec.Struct, frozen=True):
    """The file ``manifest.toml`` beside the weights."""

    models: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Founding:
    """What a start found or made.

    Attributes:
        key: text of the default key; only the first start knows it.
        sign_in: text of a one-time sign-in link; first start only.
    """

    organisation_id: str
    project_id: str
    key: str | None = None
    sign_in: str | None = None


async def found_house(
    house: House, *, weights: Path | None = None, echo: bool = False, progress: Progress | None = None
) -> Founding:
    """Make this house usable, all in one transaction; a house that was founded before is left as it is.

    Args:
        weights: folder with ``manifest.toml`` and the starter models; None or without a manifest: none are registered.
        echo: deploy the engine ``echo`` under its own name when there are no starter models.
        progress: told the bytes of weights taken in, per file.

    Raises:
        SetupError: the starter models are damaged, or cannot be copied.
    """
    found = await house.store.read(_find)
    if found is not None:
        return found
    shipped = await asyncio.to_thread(_take_in, house, weights, progress)
    return await house.store.transact(lambda tx: _find(tx) or _found(house, tx, shipped, echo=echo))


def _find(tx: Tx) -> Founding | None:
    organisation = rows.first_organisation(tx)
    if organisation is None:
        return None
    return Founding(organisation.id, rows.list_projects(tx)[0].id)


def _found(house: House, tx: Tx, shipped: list[Found], *, echo: bool) -> Founding:
    now_ms, entropy, pepper = house.clock.now_ms(), house.entropy, house.place.pepper
    organisation = rows.Organisation(make_id("organisation", now_ms, entropy), "default", now_ms, is_home=True)
    project = rows.Project(
        make_id("project", now_ms, entropy), organisation.id, "default", keeps_prompts=False, limits=Limits(),
        created_ms=now_ms,
    )  # fmt: skip
    owner = member_rows.Member(
        make_id("member", now_ms, entropy), organisation.id, project.id, "owner", "owner", now_ms
    )
    key = rules.spell(rules.KEY_PREFIX, entropy)
    link = rules.spell(rules.LINK_PREFIX, entropy)
    key_row = rows.Key(
        make_id("key", now_ms, entropy), project.id, "default", rules.digest_key(key, pepper), rules.hint_of(key),
        "member", Limits(), now_ms,
    )  # fmt: skip
    rows.add_organisation(tx, organisation)
    rows.add_project(tx, project)
    member_rows.add_member(tx, owner)
    rows.add_key(tx, key_row)
    add_link(tx, rules.digest_key(link, pepper), owner.id, now_ms + LINK_LIFE_MS)
    for what in (
        HouseFounded(organisation.id, project.id),
        KeyCreated(key_row.id, key_row.name),
        SignInLinkMade(owner.id),
    ):
        tell(tx, what, actor=FOUNDER, at_ms=now_ms)
    _deploy(house, tx, shipped, now_ms, echo=echo)
    return Founding(organisation.id, project.id, key, link)


def _deploy(house: House, tx: Tx, shipped: list[Found], now_ms: int, *, echo: bool) -> None:
    # A model that pools makes vectors; it answers the embeddings of those that make tokens.
    pooling = [one.model for one in shipped if one.head.pools]
    for one in shipped:
        version = register_version(tx, one, entropy=house.entropy, actor=FOUNDER, now_ms=now_ms)
        by = pooling[0] if pooling and not one.head.pools else None
        pointer = Pointer(one.model, engine=_ENGINE, version_id=version.id, embeddings_by=by)
        point_deployment(tx, pointer, entropy=house.entropy, actor=FOUNDER, now_ms=now_ms)
    if echo and not shipped:
        pointer = Pointer("echo", engine="echo")
        point_deployment(tx, pointer, entropy=house.entropy, actor=FOUNDER, now_ms=now_ms)


def _take_in(house: House, folder: Path | None, progress: Progress | None) -> list[Found]:
    if folder is None or not (folder / "manifest.toml").is_file():
        return []
    try:
        manifest = msgspec.convert(tomllib.loads((folder / "manifest.toml").read_text("utf-8")), Manifest)
        shipped = [(msgspec.convert(one, Shipped), one) for one in manifest.models]
    except (OSError, ValueError) as error:
        raise SetupError(f"{folder / 'manifest.toml'} is damaged ({error}); install Primeur again") from None
    return [_take(house, folder, one, table, progress) for one, table in shipped]


def _take(house: House, folder: Path, one: Shipped, table: dict[str, Any], progress: Progress | None) -> Found:
    source = folder / one.file
    head = read_gguf_file(source)
    digest, path = keep_weights(source, house.place.data_dir, link=True, progress=progress)
    if digest != f"sha256:{one.sha256}":
        raise SetupError(f"{source} is not the file that its manifest names; install Primeur again")
    card, languages = _card(folder, one, table), check_languages(one.languages) or None
    return Found(one.name, head, digest, path, one.licence, "came with Primeur", card, languages)


def _card(folder: Path, one: Shipped, table: dict[str, Any]) -> dict[str, Any]:
    known = {field: value for field, value in table.items() if field not in Shipped.__struct_fields__}
    if one.card is not None:
        try:
            known["text"] = (folder / one.card).read_text("utf-8")
        except (OSError, ValueError) as error:
            raise SetupError(f"{folder / one.card} cannot be read ({error}); install Primeur again") from None
    return known
