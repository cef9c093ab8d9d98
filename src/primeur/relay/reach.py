"""A socket to the first of a host's addresses that may be reached and answers.

Source: RFC 8305, "Happy Eyeballs Version 2".
"""

import asyncio
import socket

from aiohappyeyeballs import start_connection

from primeur.core.chat import Endpoint
from primeur.core.egress import Egress, check_address, check_place, read_address

_NEXT_ADDRESS_S = 0.25


async def open_socket(endpoint: Endpoint, egress: Egress) -> socket.socket:
    """Connect to the first of the host's addresses that may be reached and answers.

    Every address is judged, and it is the judged ones that are connected to: a name that resolves to something else a
    moment later changes nothing.

    Raises:
        EgressRefused: one of the addresses may not be reached.
    """
    loop = asyncio.get_running_loop()
    check_place(egress, endpoint)
    addresses = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    for *_, place in addresses:
        check_address(egress, endpoint, read_address(str(place[0])))
    opened = await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_S)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened
