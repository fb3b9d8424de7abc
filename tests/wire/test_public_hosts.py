"""Hosts that a caller may have the gateway connect to, and those that it may not."""

from __future__ import annotations

import pytest

from gomodel_proxy.wire.public_hosts import is_canonical, is_public


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450::1", "64:ff9b::808:808"]
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1%eth0",
        "fec0::1",
        "ff02::1",
        "not an address",
    ],
)
def test_addresses_of_inner_networks(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "host",
    ["example.com", "a.b-c.example", "x_y.example", "8.8.8.8", "2606:4700::1111", "1.2.3.example"],
)
def test_hosts_that_can_be_read_in_one_way(host: str) -> None:
    assert is_canonical(host)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f.0.0.1",
        "0x7f000001",
        "0177.0.0.1",
        "127.0.0.01",
        "1.2.3.4.5",
        "a.0x7f",
        "127.0.0.1.",
        "example.com.",
        "EXAMPLE.com",
        "exa mple.com",
        "example..com",
        "-a.example",
        "a%2eexample",
        "b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example",
        "\N{FULLWIDTH DIGIT ONE}.1.1.1",
        "::0001",
        "0:0:0:0:0:0:0:1",
        "::FFFF:127.0.0.1",
        "fe80::1%eth0%x",
        f"{'a' * 64}.example",
        ".".join(["a" * 60] * 5),
        "",
    ],
)
def test_hosts_that_are_written_otherwise(host: str) -> None:
    assert not is_canonical(host)
