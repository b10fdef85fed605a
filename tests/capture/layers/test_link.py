"""Every link type leads to the same IP packet; what is none, or cut off, is counted."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.layers.link import Counts, locate_ip
from tests.capture.builder import (
    EPOCH,
    NULL,
    Recorded,
    enhanced,
    ethernet,
    interface,
    ipv4,
    ipv6,
    linked,
    pcap,
    read,
    section,
    tcp,
)

SEGMENT = tcp(1, 2, 3, 4, 16, b"payload")


def located(data: bytes):
    packets, counts = read(data), Counts()
    found = locate_ip(packets, counts)
    return packets, found, counts.by_reason


@pytest.mark.parametrize("link_type", [0, 1, 12, 14, 101, 108, 113, 228, 229, 276])
@pytest.mark.parametrize("ip", [ipv4(SEGMENT), ipv6(SEGMENT)], ids=["IPv4", "IPv6"])
def test_each_link_type_leads_to_the_ip_packet(link_type, ip):
    packets, found, left_out = located(pcap([Recorded(EPOCH, linked(ip, link_type))], link_type=link_type))
    (at,), (end,) = found.at.tolist(), found.end.tolist()
    assert packets.data[at:end].tobytes() == ip
    assert left_out == {}


@pytest.mark.parametrize("family", [2, 10, 23, 24, 28, 30])
@pytest.mark.parametrize("order", "<>")
def test_loopback_families_of_all_systems_in_both_byte_orders(family, order):
    frame = struct.pack(order + "I", family) + ipv4(SEGMENT)
    _, found, left_out = located(pcap([Recorded(EPOCH, frame)], link_type=NULL))
    assert len(found) == 1
    assert left_out == {}


def test_another_loopback_family_is_not_ip():
    _, found, left_out = located(
        pcap([Recorded(EPOCH, struct.pack("<I", 7) + ipv4(SEGMENT))], link_type=NULL)
    )
    assert len(found) == 0
    assert left_out == {"not IP (ARP, LLDP and the like)": 1}


@given(st.lists(st.tuples(st.sampled_from([0x8100, 0x88A8, 0x9100]), st.integers(0, 0xFFFF)), max_size=8))
def test_vlan_tags_are_stepped_over(tags):
    ip = ipv4(SEGMENT)
    packets, found, _ = located(pcap([Recorded(EPOCH, ethernet(ip, tags)), Recorded(EPOCH, ethernet(ip))]))
    assert [packets.data[at:end].tobytes() for at, end in zip(found.at, found.end, strict=True)] == [ip, ip]


@pytest.mark.parametrize("size", range(len(ethernet(b"E", [(0x8100, 1), (0x8100, 2)]))))
def test_what_is_cut_off_before_the_ip_header_is_counted(size):
    whole = ethernet(ipv4(SEGMENT), [(0x8100, 1), (0x8100, 2)])
    _, found, left_out = located(pcap([Recorded(EPOCH, whole[:size], len(whole))]))
    assert len(found) + sum(left_out.values()) == 1


def test_what_is_not_ip_is_counted():
    arp = ethernet(bytes(28), ethertype=0x0806)
    _, found, left_out = located(pcap([Recorded(EPOCH, arp), Recorded(EPOCH, ethernet(ipv4(SEGMENT)))]))
    assert found.row.tolist() == [1]
    assert left_out == {"not IP (ARP, LLDP and the like)": 1}


def test_link_types_that_are_not_read_are_counted():
    _, found, left_out = located(pcap([Recorded(EPOCH, bytes(50))] * 3, link_type=147))
    assert len(found) == 0
    assert left_out == {"of link type 147, which is not read here for IP": 3}


def test_packets_of_several_link_types_stay_in_the_order_of_the_file():
    ip = ipv4(SEGMENT)
    data = section() + interface(link_type=1) + interface(link_type=276) + interface(link_type=101)
    for which, link in ((1, 276), (0, 1), (2, 101), (1, 276)):
        data += enhanced(Recorded(EPOCH, linked(ip, link)), interface_id=which)
    packets, found, _ = located(data)
    assert found.row.tolist() == [0, 1, 2, 3]
    assert {packets.data[at:end].tobytes() for at, end in zip(found.at, found.end, strict=True)} == {ip}


@given(st.lists(st.binary(max_size=60), max_size=10), st.sampled_from([0, 1, 12, 101, 108, 113, 276, 999]))
def test_every_packet_is_found_or_counted(frames, link_type):
    packets, found, left_out = located(
        pcap([Recorded(EPOCH, frame) for frame in frames], link_type=link_type)
    )
    assert len(found) + sum(left_out.values()) == len(packets)
    assert (found.at <= found.end).all()
