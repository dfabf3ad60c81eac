"""Reach: which addresses the service may connect to by itself, so that no target leads it where nobody meant it to go.

What counts is the address that is connected to, never how it is written or what a name stood for a moment ago (OWASP,
Server-Side Request Forgery Prevention Cheat Sheet).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

from nlp.errors import JiesuError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
NUMERIC = re.compile(r"(\d+|0x[0-9a-f]*)$", re.IGNORECASE)  # the last label of an IPv4 address (WHATWG URL)
NAME = re.compile(r"[\w-]+(\.[\w-]+)*")
LOOPBACK = ("127.0.0.0/8", "::1/128")  # what `localhost` stands for (RFC 6761)
TRANSLATED = (ip_network("64:ff9b::/96"), ip_network("::/96"))  # IPv4 behind NAT64 (RFC 6052), and RFC 4291's old form


class OutOfReach(JiesuError):
    """{host} 的地址 {addresses} 不许连：内网地址须由 allow 里的地址或网段写明"""


@dataclass(frozen=True)
class Reach:
    """Names whose public addresses may be reached, and networks that may be reached whoever asks for them."""

    names: frozenset[str]
    networks: tuple[Network, ...]

    @classmethod
    def of(cls, allow: Iterable[str]) -> Reach:
        """A list of names, addresses and networks; raises `ValueError` for an entry that is none."""
        entries = [part for entry in allow for part in (LOOPBACK if entry == "localhost" else (entry,))]
        networks = {entry: network for entry in entries if (network := _network(entry))}
        names = frozenset(_name(entry) for entry in entries if entry not in networks)
        return cls(names, tuple(networks.values()))

    def knows(self, host: str) -> bool:
        """Whether a host could be reached at all: it is named, or it is up to the address that it turns out to have."""
        address = _address(host)
        return self.covers(host, host) if address else host in self.names or bool(self.networks)

    def covers(self, host: str, address: str) -> bool:
        """Whether a host may be reached at an address that its name stands for now."""
        meant = _meant(ip_address(address))
        if any(meant in network for network in self.networks):
            return True
        return host in self.names and is_public(meant)

    def within(self, host: str, addresses: Iterable[str]) -> list[str]:
        """Those of a host's addresses that may be connected to; raises `OutOfReach` where there is none."""
        found = list(addresses)
        reached = [address for address in found if self.covers(host, address)]
        if not reached:
            raise OutOfReach(host=host, addresses="、".join(found))
        return reached


def host_of(url: httpx.URL) -> str:
    """The host of a URL as it is compared: in lower case, in ASCII, without the root's dot."""
    return url.raw_host.decode("ascii").lower().rstrip(".")


def is_number(host: str) -> bool:
    """Whether a host is an IPv4 address in other writing: `2130706433`, `0177.1`, `0x7f.0.0.1`."""
    return bool(NUMERIC.match(host.rpartition(".")[2])) and not _address(host)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the Internet: not to a machine, a link, a private net or a group."""
    inside = address.is_multicast or address.is_reserved or getattr(address, "is_site_local", False)
    return address.is_global and not inside


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, best first; raises `OSError`."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address carries, where it leads there; else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    carried = any(address in network for network in TRANSLATED) and int(address) > 1
    return IPv4Address(int(address) & 0xFFFFFFFF) if carried else address


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _network(entry: str) -> Network | None:
    try:
        return ip_network(entry)
    except ValueError as error:
        if "/" in entry and "://" not in entry:
            raise ValueError(f"“{entry}”不是网段，如 10.1.0.0/16（主机位须为 0）") from error
        return None


def _name(entry: str) -> str:
    if not NAME.fullmatch(entry) or is_number(entry):
        raise ValueError(f"“{entry}”不是主机名、地址或网段（不带协议、端口和通配符）")
    return host_of(httpx.URL(scheme="http", host=entry))
