"""Open connections to the world only: never to this machine, its network or its cloud's inside."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from aiohttp import TCPConnector, ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import AddrInfoType

type Address = IPv4Address | IPv6Address
type AddressRule = Callable[[Address], bool]

# https://www.iana.org/assignments/iana-ipv4-special-registry/
# https://www.iana.org/assignments/iana-ipv6-special-registry/
# Listed here as well as asked of `ipaddress`: what that calls global changes with Python's version,
# and it counts multicast and the addresses that carry an IPv4 address inside as global.
_NEVER: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and the metadata service of one cloud
        "127.0.0.0/8",
        "168.63.129.16/32",  # the inside of a cloud, under a public number
        "169.254.0.0/16",  # link-local, and the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "2001::/23",  # Teredo, ORCHID and other protocols' numbers
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)
# https://www.iana.org/assignments/ipv6-address-space/: all that is given out for the world. Outside
# are loopback, mapped and compatible IPv4, NAT64, unique and link-local, site-local, multicast.
_GLOBAL_UNICAST = IPv6Network("2000::/3")


class AddressRefused(OSError):
    """The host is at an address that connections may not go to."""


def is_public(address: Address) -> bool:
    """Whether the address is an ordinary one of the public internet."""
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not any(address in network for network in _NEVER)


def guarded_connector(
    *, may_connect: AddressRule = is_public, resolver: AbstractResolver | None = None
) -> TCPConnector:
    """A connector for strangers' hosts: it refuses with `AddressRefused`, inside aiohttp's
    `ClientConnectorError.os_error`, every host of which one address may not be connected to.

    Names are resolved for each connection, and what was checked is what is connected to. Make it
    inside a running loop; a session that is given it closes it.
    """

    def checked_socket(info: AddrInfoType) -> socket.socket:
        # the resolver is not asked for addresses written as numbers; every connection comes by here
        family, kind, protocol, _, endpoint = info
        _check(str(endpoint[0]), may_connect)
        return socket.socket(family, kind, protocol)

    return TCPConnector(
        resolver=_CheckedResolver(resolver or ThreadedResolver(), may_connect),
        socket_factory=checked_socket,
        use_dns_cache=False,
        force_close=True,
    )


class _CheckedResolver(AbstractResolver):
    """Refuses a name when any of its addresses may not be connected to."""

    def __init__(self, inner: AbstractResolver, may_connect: AddressRule) -> None:
        self._inner = inner
        self._may_connect = may_connect

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for result in found:
            _check(result["host"], self._may_connect)
        return found

    async def close(self) -> None:
        await self._inner.close()


def _check(host: str, may_connect: AddressRule) -> None:
    try:
        address = ip_address(host)
    except ValueError as error:
        raise AddressRefused(AddressRefused.__doc__) from error
    if not may_connect(address):
        raise AddressRefused(AddressRefused.__doc__)
