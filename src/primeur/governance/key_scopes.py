"""What a key may be bounded to beside deployments: routes by a word, and networks of callers; pure."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from primeur.core.errors import BadRequest

ROUTES: dict[str, str] = {
    "chat": "chat completions",
    "completions": "legacy completions",
    "embeddings": "embeddings",
    "models": "the list of models",
    "responses": "responses",
    "conversations": "conversations",
    "messages": "Anthropic's messages",
    "moderations": "moderations",
    "files": "files",
    "uploads": "uploads",
    "batches": "batches",
    "manage": "the management API, SCIM and metrics",
}
_NETWORKS_LIMIT = 64


def route_of(path: str) -> str:
    """Give the word of a door's path: ``/v1/chat/completions`` is ``chat``; what is not OpenAI's is ``manage``."""
    parts = path.split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "v1" else "manage"


def check_routes(words: Iterable[str] | None) -> tuple[str, ...] | None:
    """Let *words* be a key's routes; None is all.

    Raises:
        BadRequest: one of them is none; names it.
    """
    if words is None:
        return None
    found = tuple(dict.fromkeys(words))
    for word in found:
        if word not in ROUTES:
            raise BadRequest(f"there is no route {word[:64]!r}; choose of {', '.join(ROUTES)}", param="routes")
    return found


def check_networks(texts: Iterable[str] | None) -> tuple[str, ...] | None:
    """Write networks (``10.0.0.0/8``, ``2001:db8::/32``, single addresses) in one form; None is all.

    Raises:
        BadRequest: one of them is none, or they are too many.
    """
    if texts is None:
        return None
    found = tuple(dict.fromkeys(str(_network(text)) for text in texts))
    if len(found) > _NETWORKS_LIMIT:
        raise BadRequest(f"a key has at most {_NETWORKS_LIMIT} networks, not {len(found)}", param="networks")
    return found


def read_networks(texts: Iterable[str] | None) -> tuple[IPv4Network | IPv6Network, ...] | None:
    """Read networks as `check_networks` wrote them."""
    return None if texts is None else tuple(ip_network(text) for text in texts)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text.strip())
    except ValueError:
        raise BadRequest(f"{text[:64]!r} is no network; write 10.0.0.0/8 or 192.0.2.7", param="networks") from None
