"""HCI traffic of a Bluetooth dongle, recorded on its USB: commands, events and ACL data by kind of transfer.

Facts: Bluetooth Core Specification, Vol 4, Part B, 2.2 (which endpoint carries what), USBPcap's header
[desowin.org/usbpcap/captureformat.html], Linux' usbmon header [Documentation/usb/usbmon.rst].
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from packwire.capture.layers.hci import HciKind, HciPackets, located
from packwire.capture.layers.link import Counts
from packwire.capture.packets import PacketDirection, Packets
from packwire.columns import gather
from packwire.messages import Bytes, Int64s

LINUX, LINUX_MMAPPED, USBPCAP = 189, 220, 249

_INTERRUPT, _CONTROL, _BULK = 1, 2, 3
_IN = 0x80
_SETUP = 8
#: A class request to the device: the host sends an HCI command.
_COMMAND_REQUEST = 0x20

_USBPCAP_HEADER = np.dtype(
    {
        "names": ["size", "device", "endpoint", "transfer", "bus"],
        "formats": ["<u2", "<u2", "u1", "u1", "<u2"],
        "offsets": [0, 19, 21, 22, 17],
        "itemsize": 27,
    }
)
_LINUX_HEADER = np.dtype(
    {
        "names": ["type", "transfer", "endpoint", "device", "bus", "setup"],
        "formats": ["u1", "u1", "u1", "u1", "<u2", "u1"],
        "offsets": [8, 9, 10, 11, 12, 40],
        "itemsize": 48,
    }
)


def find_usbpcap(packets: Packets, row: Int64s, left_out: Counts) -> HciPackets:
    """LINKTYPE_USBPCAP: the header says its own size; a control transfer begins with its setup packet."""
    found = located(packets, row).holding(_USBPCAP_HEADER.itemsize, left_out)
    header = gather(packets.data, found.at, _USBPCAP_HEADER)
    found = replace(found, at=np.minimum(found.at + header["size"], found.end))
    control = header["transfer"] == _CONTROL
    found = replace(found, at=np.minimum(found.at + _SETUP * control, found.end))
    return _hci(packets.data, found, header["transfer"], header["endpoint"], header["bus"], header["device"])


def find_linux(packets: Packets, row: Int64s, left_out: Counts) -> HciPackets:
    """LINKTYPE_USB_LINUX and _MMAPPED: a header of 48 or 64 bytes, data where it goes over the wire."""
    found = located(packets, row).holding(_LINUX_HEADER.itemsize, left_out)
    header = gather(packets.data, found.at, _LINUX_HEADER)
    size = np.where(packets.link_type[found.row] == LINUX_MMAPPED, 64, 48)
    found = replace(found, at=np.minimum(found.at + size, found.end))
    # What goes out is there when it is submitted, what comes in when it is complete.
    inward = header["endpoint"] & _IN != 0
    there = header["type"] == np.where(inward, ord("C"), ord("S"))
    there &= (header["transfer"] != _CONTROL) | (header["setup"] == _COMMAND_REQUEST)
    header = header[there]
    return _hci(
        packets.data, found.where(there), header["transfer"], header["endpoint"], header["bus"],
        header["device"],
    )  # fmt: skip


def _hci(
    data: Bytes,
    found: HciPackets,
    transfer: NDArray[np.uint8],
    endpoint: NDArray[np.uint8],
    bus: NDArray[np.uint16],
    device: NDArray[np.unsignedinteger],
) -> HciPackets:
    """Keep the transfers that are HCI packets: their own length field must fit, as other devices' do not."""
    inward = endpoint & _IN != 0
    kind = np.zeros(len(found), dtype=np.uint8)
    kind[(transfer == _CONTROL) & ~inward] = HciKind.COMMAND
    kind[(transfer == _INTERRUPT) & inward] = HciKind.EVENT
    kind[transfer == _BULK] = HciKind.ACL
    size = found.end - found.at
    fits = np.zeros(len(found), dtype=np.bool_)
    for each, at, width in ((HciKind.COMMAND, 2, 1), (HciKind.EVENT, 1, 1), (HciKind.ACL, 2, 2)):
        rows = np.flatnonzero((kind == each) & (size >= at + width))
        said = gather(data, found.at[rows] + at, "u1" if width == 1 else "<u2")
        # Of the wire's size: a packet that was cut short is one all the same.
        fits[rows] = said + at + width == (found.wire_end - found.at)[rows]
    direction = np.where(inward, PacketDirection.RECEIVED, PacketDirection.SENT).astype(np.int8)
    adapter = bus.astype(np.int64) << 8 | device.astype(np.int64)
    return replace(found, kind=kind, direction=direction, adapter=adapter).where(fits)
