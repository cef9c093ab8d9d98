"""Where people reach this house, for what must name it: identity providers and passkeys."""

from urllib.parse import urlsplit

from primeur.core.errors import Conflict
from primeur.walks.house import House

_OWN = frozenset({"localhost", "127.0.0.1", "::1"})


def own_address(house: House, host: str) -> str:
    """Give scheme, host and port, without a slash at the end.

    Args:
        host: what the browser calls this house; believed only where nobody said another name and it is this machine.

    Raises:
        Conflict: ``--public-url`` is not said.
    """
    if house.place.public_url:
        return house.place.public_url
    try:
        named = urlsplit(f"//{host}").hostname
    except ValueError:
        named = None
    if named in _OWN:
        return f"http://{host.lower()}"
    raise Conflict(
        "this house does not know its name; start it with --public-url https://HOST", code="public_url_missing"
    )
