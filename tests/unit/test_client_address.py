"""Whose address a request has behind proxies."""

from ipaddress import ip_network

import pytest

from primeur.gateway.client import client_address, forwarded

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "said", "address"),
    [
        ("10.0.0.1", b"203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", b"6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", b"203.0.113.9, 10.1.1.1, 10.2.2.2", "203.0.113.9"),
        ("10.0.0.1", b"[2001:db8::9]:443", "2001:db8::9"),
        ("10.0.0.1", b"203.0.113.9:5555", "203.0.113.9"),
        ("fd00::1", b"::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", b"nonsense", "10.0.0.1"),
        ("10.0.0.1", b"203.0.113.9, nonsense, 10.1.1.1", "10.1.1.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("203.0.113.1", b"1.2.3.4", "203.0.113.1"),
        ("", b"1.2.3.4", ""),
    ],
)
def test_only_what_a_trusted_proxy_wrote_is_believed(peer, said, address):
    """Read from the nearest hop outwards."""
    assert client_address(peer, said, TRUSTED) == address


def test_without_trusted_proxies_nothing_is_believed():
    """As it is by default."""
    assert client_address("10.0.0.1", b"1.2.3.4", ()) == "10.0.0.1"


def test_several_headers_are_one():
    """In their order."""
    assert forwarded([(b"x-forwarded-for", b"1"), (b"a", b"b"), (b"x-forwarded-for", b"2")]) == b"1,2"
    assert forwarded([]) is None
