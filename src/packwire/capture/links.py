"""Link types, a row each: what they are called, who reads them, what stands in front of what they carry.

Numbers are LINKTYPE_ [https://www.tcpdump.org/linktypes.html]; the negative ones are those of `packets`. A
new link type is a row here, and a function that finds what its packets carry.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import Any

from packwire.capture.packets import (
    APPLICATION,
    HCI_ACL,
    HCI_COMMAND,
    HCI_EVENT,
    HCI_ISO,
    HCI_NOTE,
    HCI_SCO,
    LINKTYPE_CAN_SOCKETCAN,
    LINKTYPE_HCI_H4,
    UNKNOWN_LINK,
)

#: What reads a link type's packets: `module:function` of `packwire.capture.layers`, imported when there are
#: such packets.
type Reader = Callable[..., Any]


class Layer(Enum):
    """What the packets of a link type carry; NOTHING that is read."""

    IP = "IP packets"
    HCI = "Bluetooth HCI packets"
    USB = "transfers on a USB bus, which may be HCI packets"
    RADIO = "Bluetooth LE on the air"
    CAN = "CAN frames"
    READY = "application messages"
    NOTE = "notes of a recorder"
    WIFI = "Wi-Fi frames"
    NOTHING = "nothing that is read here"


#: A packet that claims more bytes is damaged: no writer makes larger ones.
LARGEST = 256 << 10


@dataclass(frozen=True, slots=True)
class LinkType:
    """One link type.

    header      bytes in front of what the packets carry, which may be kept where that is masked
    reader      finds what they carry, see `Reader`; empty where the layer itself does
    wiretap     what Wireshark calls a link with the same bytes [wiretap/wtap.h]
    btsnoop     whether the btsnoop format can hold it
    largest     bytes that one packet may have
    """

    number: int
    name: str
    layer: Layer
    header: int = 0
    reader: str = ""
    wiretap: tuple[int, ...] = ()
    btsnoop: bool = False
    largest: int = LARGEST


#: USB and D-Bus have larger packets than others.
_LARGE = 128 << 20

_ROWS = (
    LinkType(0, "loopback", Layer.IP, 4, "link:loopback"),
    LinkType(1, "Ethernet", Layer.IP, 14, "link:ethernet", wiretap=(1,)),
    LinkType(12, "raw IP", Layer.IP, 0, "link:raw"),
    LinkType(14, "raw IP", Layer.IP, 0, "link:raw"),
    LinkType(101, "raw IP", Layer.IP, 0, "link:raw", wiretap=(7,)),
    LinkType(105, "Wi-Fi (802.11)", Layer.WIFI),
    LinkType(108, "loopback", Layer.IP, 4, "link:loopback"),
    LinkType(113, "Linux cooked (SLL)", Layer.IP, 16, "link:cooked", wiretap=(25,)),
    LinkType(119, "link type 119", Layer.WIFI),
    LinkType(127, "Wi-Fi (802.11 with radiotap)", Layer.WIFI),
    LinkType(163, "link type 163", Layer.WIFI),
    LinkType(LINKTYPE_HCI_H4, "Bluetooth HCI", Layer.HCI, 0, "hci:find_h4", wiretap=(41, 99), btsnoop=True),
    LinkType(189, "USB (Linux)", Layer.USB, 48, "usb:find_linux"),
    LinkType(201, "Bluetooth HCI with direction", Layer.HCI, 4, "hci:find_h4_with_direction", btsnoop=True),
    LinkType(220, "USB (Linux, memory-mapped)", Layer.USB, 64, "usb:find_linux", largest=_LARGE),
    LinkType(LINKTYPE_CAN_SOCKETCAN, "CAN (SocketCAN)", Layer.CAN, 8, wiretap=(125,)),
    LinkType(228, "raw IPv4", Layer.IP, 0, "link:raw"),
    LinkType(229, "raw IPv6", Layer.IP, 0, "link:raw"),
    LinkType(231, "link type 231", Layer.NOTHING, largest=_LARGE),
    LinkType(249, "USB (Windows)", Layer.USB, 27, "usb:find_usbpcap", largest=_LARGE),
    LinkType(251, "Bluetooth LE radio", Layer.RADIO, 0),
    LinkType(254, "Bluetooth HCI (Linux monitor)", Layer.HCI, 4, "hci:find_monitor"),
    LinkType(256, "Bluetooth LE radio with header", Layer.RADIO, 10),
    LinkType(272, "Bluetooth LE radio (Nordic)", Layer.RADIO, 17),
    LinkType(276, "Linux cooked (SLL2)", Layer.IP, 20, "link:cooked2"),
    *(
        LinkType(number, "Bluetooth HCI", Layer.HCI, 0, "hci:find_bare")
        for number in (HCI_COMMAND, HCI_ACL, HCI_SCO, HCI_EVENT, HCI_ISO)
    ),
    LinkType(UNKNOWN_LINK, "unknown", Layer.NOTHING),
    LinkType(APPLICATION, "application messages", Layer.READY),
    LinkType(HCI_NOTE, "notes of the recorder", Layer.NOTE),
)

LINKS: dict[int, LinkType] = {each.number: each for each in _ROWS}

#: The layers in which HCI packets may be found, and those with any Bluetooth.
HCI = (Layer.HCI, Layer.USB)
BLUETOOTH = (*HCI, Layer.RADIO)


def numbers(*layers: Layer) -> frozenset[int]:
    """Return the link types of some layers."""
    return frozenset(each.number for each in LINKS.values() if each.layer in layers)


def link_name(number: int) -> str:
    """Return what people call a link type."""
    known = LINKS.get(number)
    return known.name if known else f"link type {number}"


def reader(number: int, *layers: Layer) -> Reader | None:
    """Return what finds what a link type carries; None: it is not of these layers."""
    known = LINKS.get(number)
    if known is None or not known.reader or known.layer not in layers:
        return None
    module, _, name = known.reader.partition(":")
    module = module if "." in module else f"packwire.capture.layers.{module}"
    found: Reader = getattr(import_module(module), name)
    return found


def headers(*layers: Layer) -> dict[int, int]:
    """Return how many bytes stand in front of what is masked in link types of some layers."""
    return {each.number: each.header for each in LINKS.values() if each.layer in layers}


def of_wiretap(encapsulation: int) -> int | None:
    """Return the link type with the same bytes as one of Wireshark's; None: there is none."""
    return next((each.number for each in LINKS.values() if encapsulation in each.wiretap), None)


def largest_packet(number: int) -> int:
    """Return how many bytes a packet of this link type may claim to have."""
    known = LINKS.get(number)
    return known.largest if known else LARGEST
