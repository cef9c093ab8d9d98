"""What a parent process tells a gateway process that it starts, by environment."""

from collections.abc import Mapping
from dataclasses import dataclass

VARIABLE = "PRIMEUR_WINDOW"


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders of one gateway process.

    Attributes:
        name: of its journal, such as ``w1``.
        socket: the inherited end of the socket pair.
        port: that all listen on.
    """

    name: str
    socket: int
    port: int


def write_orders(orders: Orders) -> dict[str, str]:
    """Write orders into an environment."""
    return {VARIABLE: f"{orders.name}:{orders.socket}:{orders.port}"}


def worker_orders(environment: Mapping[str, str]) -> Orders | None:
    """Read orders; None when this process was not started by a parent."""
    said = environment.get(VARIABLE)
    if said is None:
        return None
    name, socket, port = said.split(":")
    return Orders(name, int(socket), int(port))
