"""Only what the operator named is reached, however an address is written."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as some

from serving.events.reach import OutOfReach, Reach, is_number, is_public, resolve

INSIDE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3",  # noqa: S104
    "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.2.1",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1", "fec0::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001::1",
]  # fmt: skip
OUTSIDE = ["8.8.4.4", "114.114.114.114", "2400:3200::1", "::ffff:8.8.4.4", "64:ff9b::808:404"]
NAMED = Reach.of(["hooks.example.cn"])


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_does_not_open_the_inside(address: str) -> None:
    assert not NAMED.covers("hooks.example.cn", address)
    with pytest.raises(OutOfReach, match="hooks"):
        NAMED.within("hooks.example.cn", [address])


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_name_opens_the_outside_to_itself_alone(address: str) -> None:
    assert NAMED.covers("hooks.example.cn", address)
    assert not NAMED.covers("other.example.cn", address)
    assert not NAMED.covers("www.hooks.example.cn", address)


@pytest.mark.parametrize(
    ("allowed", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "::ffff:127.0.0.1"),
        ("10.1.0.0/16", "10.1.255.255"),
        ("10.1.0.0/16", "64:ff9b::a01:203"),
        ("fd00:1::/32", "fd00:1::5"),
        ("169.254.169.254", "169.254.169.254"),
        ("localhost", "127.0.0.1"),
        ("localhost", "::1"),
    ],
)
def test_an_address_that_was_written_down_is_reached(allowed: str, address: str) -> None:
    assert Reach.of([allowed]).covers("anything", address)
    assert not Reach.of([allowed]).covers("anything", "10.9.9.9")
    assert not Reach.of([allowed]).covers("anything", "8.8.4.4")


def test_nothing_is_reached_where_nothing_is_allowed() -> None:
    nothing = Reach.of([])
    assert not nothing.knows("hooks.example.cn")
    assert not any(nothing.covers("hooks.example.cn", address) for address in INSIDE + OUTSIDE)


def test_of_several_addresses_those_within_are_left() -> None:
    assert NAMED.within("hooks.example.cn", ["10.0.0.1", "8.8.4.4", "::1", "2400:3200::1"]) == [
        "8.8.4.4",
        "2400:3200::1",
    ]


@pytest.mark.parametrize("written", ["2130706433", "0177.0.0.1", "0x7f.0.0.1", "127.1", "0x7f000001", "017700000001"])
def test_other_writings_of_an_address_come_to_the_same_address(written: str) -> None:
    assert is_number(written)
    assert resolve(written, 80) == ["127.0.0.1"]
    with pytest.raises(ValueError, match="不是主机名"):
        Reach.of([written])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "a.example", "x1", "1.2.3.example", "0x7f.example"])
def test_a_usual_host_is_no_number(host: str) -> None:
    assert not is_number(host)


@pytest.mark.parametrize(
    "entry", ["http://a.cn", "a.cn:80", "*.a.cn", "a.cn/x", "", " ", "10.0.0.1/8", "a b", "@", "[::1]"]
)
def test_an_entry_that_is_no_host_and_no_network_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="不是"):
        Reach.of([entry])


def test_a_chinese_name_is_compared_as_it_goes_over_the_wire() -> None:
    assert Reach.of(["热线.示例", "HOOKS.Example"]).names == {"xn--lrxu80a.xn--fsq092h", "hooks.example"}


@given(some.ip_addresses(v=4))
def test_an_address_within_another_is_the_same_address(inner: IPv4Address) -> None:
    carriers = [f"::ffff:{inner}", str(IPv6Address(int(ip_address("64:ff9b::")) + int(inner)))]
    carriers.append(str(IPv6Address((0x2002 << 112) + (int(inner) << 80))))
    assert {NAMED.covers("hooks.example.cn", address) for address in carriers} == {is_public(inner)}
