"""What a name, a set of weights and a share of traffic may look like; pure."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from primeur.core.errors import BadRequest

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,198}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Standing:
    """A revision's number and its share of the traffic, as far as choosing needs it.

    Attributes:
        warm: a roll-out wants it up, share or no share.
    """

    id: str
    number: int
    share: int
    warm: bool = False


def check_name(name: str, thing: str) -> str:
    """Give *name* back if a *thing* can be called so.

    Raises:
        BadRequest: empty, too long, or with characters that would not survive a URL or a command line.
    """
    if _NAME.fullmatch(name) is None or ".." in name or name.endswith("/"):
        raise BadRequest(
            f"{name!r} cannot name a {thing}; use letters, digits and . _ - : /, beginning with a letter or digit",
            param="name",
        )
    return name


def stored_path(digest: str, kind: str) -> str:
    """Give where weights lie below the data folder: ``store/sha256/ab/ab12....gguf``.

    Args:
        digest: ``sha256:`` and 64 hexadecimal digits.
        kind: the format, such as ``gguf``.
    """
    assert DIGEST.fullmatch(digest) is not None  # noqa: S101
    number = digest.removeprefix("sha256:")
    return f"store/sha256/{number[:2]}/{number}.{kind}"


def revisions_to_run(revisions: Iterable[Standing], is_ready: Callable[[str], bool]) -> list[str]:
    """Choose which revisions of one deployment should be up, newest first.

    Those with a share of the traffic are, and those that a roll-out keeps warm. Until one with a share is ready, one of
    the others stays up too (the newest that is ready, else the newest), so that deploying a revision that never becomes
    ready takes nothing away.
    """
    ordered = sorted(revisions, key=lambda one: one.number, reverse=True)
    chosen = [one.id for one in ordered if one.share > 0 or one.warm]
    if not any(is_ready(one.id) for one in ordered if one.share > 0):
        others = [one.id for one in ordered if one.share == 0 and not one.warm]
        chosen += ([one for one in others if is_ready(one)] or others)[:1]
    return chosen
