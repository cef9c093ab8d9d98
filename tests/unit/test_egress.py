"""Which addresses may be reached."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.egress import Egress, Place, check_address, check_place, read_address, read_egress, read_url
from primeur.core.errors import BadRequest, EgressRefused, SetupError

OPEN = Egress()
NOWHERE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.1", "10.0.0.1", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:8.8.8.8", "::ffff:169.254.169.254", "::8.8.8.8", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
    "2002:7f00:1::1", "2001::1", "fc00::1", "fd00:ec2::254", "fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1",
    "100::1", "4000::1", "3fff::1",
]  # fmt: skip


def at(host: str, port: int = 443, scheme: str = "https", reach: str = "public") -> Place:
    return Place(scheme, host, port, "/", reach)


@pytest.mark.parametrize("text", NOWHERE)
def test_special_addresses_are_shut(text):
    """For everybody, whatever the name that leads there, and as an address in the place of a name."""
    with pytest.raises(EgressRefused, match="--egress"):
        check_address(OPEN, at("hooks.example.org"), read_address(text))
    with pytest.raises(EgressRefused):
        check_place(OPEN, at(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4007::200e"])
def test_public_addresses_are_open_over_https(text):
    """And over nothing else."""
    check_address(OPEN, at("api.example.org"), read_address(text))
    for shut in (at("a.example", 80, "http"), at("a.example", 8080, "http"), at("a.example", 25)):
        with pytest.raises(EgressRefused):
            check_address(OPEN, shut, read_address(text))


@given(st.integers(0, (1 << 32) - 1))
def test_every_open_address_is_global(number):
    """What the rule lets through, the registry calls global."""
    address = ipaddress.IPv4Address(number)
    try:
        check_address(OPEN, at("a.example"), address)
    except EgressRefused:
        return
    assert address.is_global
    assert not address.is_multicast


@given(st.integers(0, (1 << 128) - 1) | st.integers(0, (1 << 32) - 1).map(lambda low: 0xFFFF << 32 | low))
def test_no_open_address_carries_another(number):
    """An IPv4 address in IPv6's clothes is never let through unseen."""
    address = ipaddress.IPv6Address(number)
    try:
        check_address(OPEN, at("a.example"), address)
    except EgressRefused:
        return
    assert (address.ipv4_mapped, address.sixtofour, address.teredo) == (None, None, None)
    assert address.is_global


@pytest.mark.parametrize(
    ("line", "place", "address"),
    [
        ("rack.internal", at("rack.internal", 8000, "http"), "10.0.0.5"),
        ("*.internal:8000", at("a.rack.internal", 8000, "http"), "10.0.0.5"),
        ("10.0.0.0/8", at("rack.internal", 8000, "http"), "10.0.0.5"),
        ("[fd00::1]:8443", at("rack.internal", 8443), "fd00::1"),
        ("127.0.0.1:9000", at("127.0.0.1", 9000, "http"), "127.0.0.1"),
        ("localhost:9000", at("localhost", 9000, "http"), "127.0.0.1"),
    ],
)
def test_a_line_opens_what_it_names_and_nothing_else(line, place, address):
    """Over http too, because whoever wrote the line knows the way."""
    listed = read_egress((line,), own_machine=False)
    check_address(listed, place, read_address(address))
    for other in (at("other.example", place.port), at(place.host, 1, "http")):
        if line not in {"10.0.0.0/8", "rack.internal"}:
            with pytest.raises(EgressRefused):
                check_address(listed, other, read_address("10.99.0.1"))


def test_the_refusal_gives_the_line_that_is_missing():
    """Adding it is enough."""
    place = at("fd00::7", 8000, "http")
    with pytest.raises(EgressRefused) as caught:
        check_place(OPEN, place)
    line = caught.value.message.split("--egress ")[1].split(" ")[0]
    check_address(read_egress((line,), own_machine=False), place, read_address("fd00::7"))


def test_loopback_is_open_to_providers_only_when_nobody_else_can_reach_this_house():
    """A webhook may never go there without a line."""
    mine = read_egress((), own_machine=True)
    check_place(mine, at("127.0.0.1", 9000, "http", "upstream"))
    check_place(mine, at("localhost", 9000, "http", "upstream"))
    for egress, reach in (
        (mine, "public"),
        (OPEN, "upstream"),
        (read_egress(("only-listed",), own_machine=True), "upstream"),
    ):
        with pytest.raises(EgressRefused):
            check_place(egress, at("127.0.0.1", 9000, "http", reach))


def test_only_listed_shuts_everything_else():
    """Public addresses too."""
    egress = read_egress(("only-listed", "api.example.org"), own_machine=False)
    check_address(egress, at("api.example.org"), read_address("8.8.8.8"))
    with pytest.raises(EgressRefused, match="not on the egress allow-list"):
        check_place(egress, at("api.example.com"))


@pytest.mark.parametrize(
    "line", ["", "a b", "http://a.example", "10.0.0.0/33", "a.example:0", "a.example:99999", "1.2.3"]
)
def test_a_line_that_is_none_is_named(line):
    """Instead of opening something unforeseen."""
    with pytest.raises(SetupError, match="allow-list"):
        read_egress((line,), own_machine=False)


@pytest.mark.parametrize(
    "url",
    [
        "", "a.example", "ftp://a.example", "file:///etc/passwd", "https://", "https://a@b.example/",
        "https://a.example/ b", "https://a.example/\r\nx: y", "https://a.example\\@b.example/", "https://a.example:0/", "https://a.example:x/",
        "https://a.example/#x", "https://*.example/", "https://-a.example/", "https://a.example/é", "https://[::1/",
        "gopher://a.example/", "https://" + "a" * 3000,
    ],
)  # fmt: skip
def test_a_url_that_can_be_bent_is_refused(url):
    """Before anything is resolved."""
    with pytest.raises(BadRequest):
        read_url(url)


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_refused(text):
    """And what is read has no sign that could end a line."""
    try:
        place = read_url("https://" + text)
    except BadRequest:
        return
    assert not any(sign in place.host + place.path for sign in "\r\n \\")
    assert 0 < place.port < 65536
