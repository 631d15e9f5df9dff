"""The address under which a socket is rate-limited: its peer's, or the one that a trusted proxy reports."""

import functools
import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from .. import conf
from ..conf import UNIX_PEER

Address = IPv4Address | IPv6Address | str  # a str: UNIX_PEER, or text that is no address
Networks = tuple[IPv4Network | IPv6Network | str, ...]


@functools.cache
def networks(proxies: tuple[str, ...]) -> Networks:
    """What the entries of TRUSTED_PROXIES stand for: networks, and UNIX_PEER. ValueError: one is neither."""
    return tuple(map(conf.parse_proxy, proxies))


def address_of(scope: dict[str, Any], trusted: Networks) -> str | None:
    """The address under which a socket is rate-limited: its peer's or, if that is a trusted proxy, the last one in
    X-Forwarded-For that is not. For IPv6, its /64. None: it is unknown.
    """
    peer = scope.get("client")
    address = _parse(peer[0]) if peer and peer[0] else UNIX_PEER
    if not _is_in(address, trusted):
        return _group(address)
    forwarded = b",".join(value for name, value in scope.get("headers", ()) if name == b"x-forwarded-for")
    for text in reversed(forwarded.decode("latin1").split(",")):
        if text.strip():
            address = _parse(text.strip())
            if not _is_in(address, trusted):
                break
    return _group(address)


def _parse(text: str) -> Address:
    """An address with or without a port. What is no address stays text."""
    bare = text
    if text.startswith("["):
        bare = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        bare = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return text[:64]
    return getattr(address, "ipv4_mapped", None) or address


def _is_in(address: Address, trusted: Networks) -> bool:
    if isinstance(address, str):
        return address == UNIX_PEER and UNIX_PEER in trusted
    return any(
        not isinstance(network, str) and address.version == network.version and address in network
        for network in trusted
    )


def _group(address: Address) -> str | None:
    if address == UNIX_PEER:
        return None
    if isinstance(address, IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
