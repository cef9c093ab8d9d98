"""Read what a ``primeur.toml`` declares; a mistake is told with its whole path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from primeur.core.choices import nearest_field, say_choices
from primeur.core.errors import BadRequest
from primeur.governance.sign_in_settings import SignInSettings
from primeur.trust.rules import GuardPolicy
from primeur.walks.add_provider import NewProvider
from primeur.walks.add_upstream import NewUpstream
from primeur.walks.change_key import KeyChange
from primeur.walks.create_project import ProjectChange
from primeur.walks.deploy import NewRevision
from primeur.walks.limit_fields import LimitsChange
from primeur.walks.right_fields import DeclaredRight
from primeur.walks.set_budget import NewBudget
from primeur.walks.set_price import NewPrice
from primeur.walks.set_rate import NewRate
from primeur.walks.set_share import NewShare


class DeclaredKey(KeyChange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key's place, role and limits; its text is made when it is new and given once."""

    project: str | None = None
    role: str | UnsetType = UNSET


class DeclaredModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model's weights, or what a provider calls the model that it holds.

    Attributes:
        file: where they lie, for whoever applies the document; the service reads only *sha256*.
        licence: SPDX expression.
        provider, upstream_model: instead of *sha256*; what follows is of such a model only.
        retires: the day on which it ends, such as ``2027-01-31``.
    """

    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{64}$")] | None = None
    file: str = ""
    licence: str | None = None
    origin: str | None = None
    provider: str | None = None
    upstream_model: str | None = None
    languages: list[str] | None = None
    context_tokens: int | None = None
    retires: str | None = None

    def __post_init__(self) -> None:
        """Refuse a model that is neither here nor there."""
        if (self.sha256 is None) == (self.upstream_model is None) or (self.provider is None) == (self.sha256 is None):
            raise ValueError("a model has a file (or sha256), or provider and upstream_model; give one of the two")

    @property
    def upstream(self) -> NewUpstream:
        """The provider's model that is declared."""
        fields = ("licence", "origin", "languages", "context_tokens", "retires")
        said = {field: getattr(self, field) for field in fields}
        return NewUpstream(provider=self.provider or "", upstream_model=self.upstream_model or "", **said)


KINDS: Mapping[str, Any] = {
    "projects": ProjectChange,
    "providers": NewProvider,
    "models": DeclaredModel,
    "deployments": NewRevision,
    "aliases": str,
    "guards": GuardPolicy,
    "rights": DeclaredRight,
    "prices": NewPrice,
    "rates": NewRate,
    "shares": NewShare,
    "keys": DeclaredKey,
    "sign_in": SignInSettings,
    "limits": LimitsChange,
    "budgets": NewBudget,
}
"""Tables of the document, in the order in which they are made so: each may name what stands before it."""
_DEEP: Mapping[str, tuple[str, ...]] = {"limits": ("scope", "name"), "budgets": ("scope", "name", "period")}
"""Tables in tables: ``[limits.deployment.chat]``, ``[budgets.project.research.month]``."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One entry of the document: ``[deployments.chat]`` is the noun ``deployments`` and the name ``chat``.

    Attributes:
        path: all the names, where an entry has several: ``("deployment", "chat")`` of ``[limits.deployment.chat]``.
    """

    noun: str
    name: str
    what: Any
    path: tuple[str, ...] = ()


def read_document(document: Mapping[str, Any]) -> list[Declared]:
    """Give every entry, in the order in which they must be made so.

    Raises:
        BadRequest: an unknown table or field, a missing field, a wrong type; *param* is its path.
    """
    for noun in document:
        if noun not in KINDS:
            raise BadRequest(f"there is no table [{noun}]; known are {', '.join(KINDS)}", param=noun)
    return [entry for noun, kind in KINDS.items() for entry in _table(noun, kind, document.get(noun, {}))]


def _table(noun: str, kind: Any, table: Any) -> list[Declared]:
    if not isinstance(table, Mapping):
        raise BadRequest(f"{noun} must be a table of names, such as [{noun}.example]", param=noun)
    if noun in _DEEP:
        return list(_deep(noun, kind, table, ()))
    return [Declared(noun, name, _entry(f"{noun}.{name}", kind, value)) for name, value in table.items()]


def _deep(noun: str, kind: Any, table: Any, path: tuple[str, ...]) -> Iterator[Declared]:
    """Read tables in tables, down to the entries."""
    parts, where = _DEEP[noun], ".".join((noun, *path))
    if len(path) == len(parts):
        yield Declared(noun, "/".join(path), _entry(where, kind, table), path)
        return
    if not isinstance(table, Mapping):
        form = ".".join((noun, *(part.upper() for part in parts)))
        raise BadRequest(f"{where} must be a table; write [{form}]", param=where)
    for name, below in table.items():
        yield from _deep(noun, kind, below, (*path, name))


def _entry(path: str, kind: Any, value: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason, _, below = str(error).partition(" - at `$")
        below = below.rstrip("`")
        if reason.startswith("Object contains unknown field `"):
            field = reason.split("`")[1]
            where, near = f"{path}{below}.{field}", nearest_field(field, kind, below)
            told = f"unknown setting {where}" + (f"; did you mean {near}?" if near else "")
            raise BadRequest(told, param=where, code="unknown_parameter") from None
        where = f"{path}{below}"
        raise BadRequest(f"{where}: {say_choices(reason, kind, below)}", param=where) from None
