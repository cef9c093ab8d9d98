"""Which addresses may be reached from here: a pure rule over URLs and the addresses that their hosts resolve to.

Whoever acts on it must connect to the very address that was judged, or a name that resolves anew undoes the judgement.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal, Protocol
from urllib.parse import urlsplit

from primeur.core.errors import BadRequest, EgressRefused, SetupError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Reach = Literal["public", "upstream", "ours"]
"""Who chose the URL: ``ours`` this program itself (an engine it started), ``upstream`` an operator who declared a
provider, ``public`` anybody else."""

_HOST = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?")
_URL_LIMIT = 2048
_HIGH_PORTS = 1024

# Sources: IANA "IPv4 Special-Purpose Address Registry" and "IPv6 Special-Purpose Address Registry" (RFC 6890).
_SPECIAL: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(block), what)
    for block, what in (
        ("0.0.0.0/8", "of this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared (carrier-grade NAT)"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local, where clouds keep their metadata"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved for protocols"),
        ("192.0.2.0/24", "for documentation"),
        ("192.31.196.0/24", "reserved for protocols"),
        ("192.52.193.0/24", "reserved for protocols"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "reserved for protocols"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("168.63.129.16/32", "a cloud's metadata"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "an IPv4 address in IPv6 form"),
        ("::/96", "an IPv4 address in IPv6 form"),
        ("64:ff9b::/96", "an IPv4 address behind NAT64"),
        ("64:ff9b:1::/48", "an IPv4 address behind NAT64"),
        ("100::/64", "a black hole"),
        ("2001::/23", "reserved for protocols, tunnels among them"),
        ("2001:db8::/32", "for documentation"),
        ("2002::/16", "an IPv4 address in a 6to4 tunnel"),
        ("2620:4f:8000::/48", "reserved for protocols"),
        ("3fff::/20", "for documentation"),
        ("5f00::/16", "for segment routing"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private (site-local)"),
        ("ff00::/8", "multicast"),
    )
)
_UNICAST = ip_network("2000::/3")


@dataclass(frozen=True, slots=True)
class Listing:
    """One line of the allow-list: a host (``*.`` for all below it) or a network, and one port or all."""

    host: str = ""
    network: Network | None = None
    port: int | None = None

    def names(self, host: str, port: int) -> bool:
        """Whether this line names *host* by its name."""
        if self.network is not None or self.port not in {None, port}:
            return False
        return host == self.host or (self.host.startswith("*.") and host.endswith(self.host[1:]))

    def holds(self, address: Address, port: int) -> bool:
        """Whether *address* lies in this line's network."""
        if self.network is None or self.port not in {None, port} or address.version != self.network.version:
            return False
        return address in self.network


@dataclass(frozen=True, slots=True)
class Egress:
    """The allow-list.

    Attributes:
        listed: hosts and networks that may be reached whatever their addresses are, over http too.
        public: everything with a public address may be reached, over https, at 443 or a port from 1024 up.
        own_machine: operators may declare providers on loopback.
    """

    listed: tuple[Listing, ...] = ()
    public: bool = True
    own_machine: bool = False


class Where(Protocol):
    """What is judged: `primeur.core.chat.Endpoint`, or a `Place`."""

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        ...

    @property
    def host(self) -> str:
        """Name or address."""
        ...

    @property
    def port(self) -> int:
        """TCP port."""
        ...

    @property
    def reach(self) -> Reach:
        """Who chose it."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads that anybody may have chosen; *path* is with its query."""

    scheme: str
    host: str
    port: int
    path: str
    reach: Reach = "public"


SHUT = Egress()


def read_egress(lines: tuple[str, ...], *, own_machine: bool) -> Egress:
    """Read the allow-list as it is set.

    Args:
        lines: ``host``, ``*.host``, ``address``, ``network/bits``, each with ``:port`` or without;
            ``only-listed`` shuts public addresses off, ``own-machine`` opens loopback to providers.
        own_machine: loopback is open to providers although no line says so; ``only-listed`` ends that.

    Raises:
        SetupError: a line is none of these; names it.
    """
    words = {line for line in lines if line in {"only-listed", "own-machine"}}
    listed = tuple(_listing(line) for line in lines if line not in words)
    public = "only-listed" not in words
    return Egress(listed, public=public, own_machine="own-machine" in words or (own_machine and public))


def _listing(line: str) -> Listing:
    fault = SetupError(
        f"the egress allow-list has {line!r}; write host, *.host, address or network/bits, and :port if only one"
    )
    host, port = _split_port(line)
    if port is not None and not 0 < port < 65536:
        raise fault
    try:
        return Listing(network=ip_network(host), port=port)
    except ValueError:
        pass
    if not _HOST.fullmatch(host.lower()) or host.replace(".", "").isdigit():
        raise fault
    return Listing(host=host.lower().rstrip("."), port=port)


def _split_port(line: str) -> tuple[str, int | None]:
    if line.startswith("["):
        host, _, rest = line[1:].partition("]")
        return host, int(rest[1:]) if re.fullmatch(r":\d{1,5}", rest) else None if not rest else -1
    host, colon, port = line.rpartition(":")
    if colon and ":" not in host and re.fullmatch(r"\d{1,5}", port):
        return host, int(port)
    return line, None


def read_url(url: str) -> Place:
    """Take a URL apart that somebody else chose.

    Raises:
        BadRequest: no plain http(s) URL; credentials, white space, control signs and back-slashes are refused.
    """
    if len(url) > _URL_LIMIT or not re.fullmatch(r"[\x21-\x5b\x5d-\x7e]+", url):
        raise BadRequest(f"a URL is at most {_URL_LIMIT} visible ASCII characters without back-slashes", param="url")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise BadRequest(f"{url!r} is not a URL; write https://host/path", param="url") from None
    if parts.scheme not in {"http", "https"} or not _is_host(host):
        raise BadRequest(f"{url!r} is not an http(s) URL; write https://host/path", param="url")
    if "@" in parts.netloc or parts.fragment or port == 0:
        raise BadRequest("the URL carries a user, a fragment or port 0; leave them out", param="url")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


def _is_host(host: str) -> bool:
    return _literal(host) is not None or (_HOST.fullmatch(host) is not None and not host.startswith("*"))


def check_place(egress: Egress, where: Where) -> None:
    """Judge what is known before a host is resolved; an address in the place of a name is judged wholly.

    Raises:
        EgressRefused: says which line of the allow-list would let it through.
    """
    literal = _literal(where.host)
    if literal is not None:
        check_address(egress, where, literal)
    elif where.host == "localhost" or where.host.endswith(".localhost"):
        check_address(egress, where, ip_address("127.0.0.1"))
    elif not egress.public and not _named(egress, where) and not any(one.network for one in egress.listed):
        raise _refused(where, f"{where.host} is not on the egress allow-list")


def check_address(egress: Egress, where: Where, address: Address) -> None:
    """Judge one address that the host resolved to; connect to this address and no other.

    Raises:
        EgressRefused: says which line of the allow-list would let it through.
    """
    if where.reach == "ours" or _named(egress, where) or any(one.holds(address, where.port) for one in egress.listed):
        return
    what = _special(address)
    if what == "loopback" and where.reach == "upstream" and egress.own_machine:
        return
    if what is not None:
        raise _refused(where, f"{where.host} is at {address}, which is {what}")
    if not egress.public:
        raise _refused(where, f"{where.host} is not on the egress allow-list")
    if where.scheme != "https":
        raise _refused(where, f"{where.host} would be reached over plain http; use https")
    if where.port != 443 and where.port < _HIGH_PORTS:
        raise _refused(where, f"{where.host} would be reached at port {where.port}, which is not one of https")


def read_address(text: str) -> Address:
    """Read an address as the resolver gives it; the zone of a link-local one is dropped."""
    return ip_address(text.partition("%")[0])


def _literal(host: str) -> Address | None:
    try:
        return read_address(host)
    except ValueError:
        return None


def _named(egress: Egress, where: Where) -> bool:
    return any(one.names(where.host.lower().rstrip("."), where.port) for one in egress.listed)


def _special(address: Address) -> str | None:
    for block, what in _SPECIAL:
        if address.version == block.version and address in block:
            return what
    # What is not given out yet belongs to nobody.
    return None if address.version == 4 or address in _UNICAST else "reserved"


def _refused(where: Where, why: str) -> EgressRefused:
    name = f"[{where.host}]" if ":" in where.host else where.host
    line = f"{name}:{where.port}"
    return EgressRefused(f"{why}; to allow it, start with --egress {line} (or add {line} to PRIMEUR_EGRESS)")
