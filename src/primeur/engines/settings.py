"""How every engine reads a revision's settings: unknown ones and bad values are refused by name. Pure."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from primeur.core.choices import say_choices
from primeur.core.errors import SetupError
from primeur.core.ports import EngineOrder

S = TypeVar("S", bound=msgspec.Struct)


def convert_settings(engine: str, settings: Mapping[str, Any], kind: type[S]) -> S:
    """Turn *settings*, as declared or typed, into *kind*.

    Raises:
        SetupError: unknown setting, or a value that cannot be; named.
    """
    unknown = sorted(set(settings) - set(kind.__struct_fields__))
    if unknown:
        known = ", ".join(kind.__struct_fields__)
        raise SetupError(f"the engine {engine} has no setting {unknown[0]!r}; it has {known}", param=unknown[0])
    try:
        return msgspec.convert(dict(settings), kind, strict=False)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$.")
        where = path.rstrip("`")
        raise SetupError(f"{engine} setting {where!r}: {say_choices(reason, kind, f'.{where}')}", param=where) from None


def check_program(order: EngineOrder, engine: str, setting: str, path: str) -> str:
    """Give *path* back if the person at the machine lets settings name it.

    Whoever may deploy must not thereby be able to run any program of the machine.

    Raises:
        SetupError: it is not among ``PRIMEUR_ENGINE_PROGRAMS``.
    """
    if path not in order.programs:
        listed = ", ".join(sorted(order.programs)) or "none"
        raise SetupError(
            f"{engine} setting {setting!r}: {path} is not among the programs that may be run ({listed});"
            " add its full path to PRIMEUR_ENGINE_PROGRAMS and start the service again",
            param=setting,
        )
    return path
